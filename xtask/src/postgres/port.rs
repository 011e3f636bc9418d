//! Chooses the port of a private server: that of the last time if it is free, so that what was pasted then works again.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use anyhow::{Context, Result};

use super::folder::remove;

/// The port that the file remembers, if there is one and it is free.
pub(super) fn of_last_time(file: &Path) -> Option<u16> {
    let port = fs::read_to_string(file).ok()?.trim().parse().ok().filter(|port| *port != 0)?;
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok().then_some(port)
}

/// Any free port.
pub(super) fn any() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr().context("no free port on 127.0.0.1")?.port())
}

/// Writes the port down for the next time.
pub(super) fn remember(file: &Path, port: u16) {
    // A comfort only: without it the next server takes another port. Deleted first, as it may be another user's.
    let _ = remove(file).map(|()| fs::write(file, format!("{port}\n")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken_again_unless_somebody_else_has_it() -> Result<()> {
        let file = std::env::temp_dir().join(format!("ccp-port-{}", std::process::id()));
        assert_eq!(of_last_time(&file), None);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        remember(&file, port);
        assert_eq!(of_last_time(&file), None);
        drop(listener);
        assert_eq!(of_last_time(&file), Some(port));
        remember(&file, 0);
        assert_eq!(of_last_time(&file), None);
        remove(&file)
    }
}
