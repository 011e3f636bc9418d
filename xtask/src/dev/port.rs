//! The proxy's port: whether it can be had, and what to do when it cannot.

use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, anyhow};

const USUAL: u16 = 8000;

/// Fails early and with a remedy, before minutes are spent on a build.
pub(crate) fn ensure_free(port: u16) -> Result<()> {
    bind(port).map_err(|error| explain(port, &error))
}

/// A free port to propose in the place of one that is taken, or will be in a moment.
pub(super) fn free_after(port: u16) -> u16 {
    let next = port.checked_add(1).unwrap_or(USUAL);
    (next..=u16::MAX).find(|port| bind(*port).is_ok()).unwrap_or(USUAL)
}

fn bind(port: u16) -> std::io::Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop)
}

fn explain(port: u16, error: &Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "cannot listen on 127.0.0.1:{port}, because another program does; end it or choose another \
             port, such as --port {}",
            free_after(port)
        ),
        ErrorKind::PermissionDenied => anyhow!(
            "cannot listen on 127.0.0.1:{port}: {error}; low ports are for root, so choose a port above 1023, \
             such as --port {}",
            free_after(USUAL - 1)
        ),
        _ => anyhow!("cannot listen on 127.0.0.1:{port}: {error}; choose another port with --port"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_told_with_one_that_is_free() -> Result<()> {
        let taken = TcpListener::bind("127.0.0.1:0")?;
        let port = taken.local_addr()?.port();
        let error = ensure_free(port).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("another program does") && error.contains("such as --port "), "{error}");
        assert_ne!(free_after(port - 1), port);
        Ok(())
    }

    #[test]
    fn a_forbidden_port_is_not_called_taken() {
        let error = explain(80, &ErrorKind::PermissionDenied.into()).to_string();
        assert!(error.contains("choose a port above 1023") && !error.contains("another program"), "{error}");
    }
}
