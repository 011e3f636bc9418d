//! The upstream of a measurement, started as a process of its own.

use std::io::{BufRead as _, BufReader, Lines};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command};

use anyhow::{Context as _, Result};
use xtask::leash::{EndSignal, Leashed, Output};

use super::secured;
use super::upstream::ROLE;

/// The running upstream. Dropped, it ends.
#[derive(Debug)]
pub(crate) struct Launched {
    process: Leashed,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

/// Where it listens with TLS.
#[derive(Debug)]
pub(crate) struct Secured {
    /// The socket.
    pub(crate) address: SocketAddr,
    /// What a client has to trust.
    pub(crate) certificate: PathBuf,
}

impl Launched {
    /// Starts it.
    pub(crate) fn start() -> Result<Self> {
        Ok(Self::start_with(None)?.0)
    }

    /// Starts it with TLS as well; its certificate is in this folder.
    pub(crate) fn start_secured(folder: &Path) -> Result<(Self, Secured)> {
        let (launched, mut lines) = Self::start_with(Some(folder))?;
        let secured = Secured { address: next(&mut lines)?, certificate: secured::certificate(folder) };
        Ok((launched, secured))
    }

    fn start_with(folder: Option<&Path>) -> Result<(Self, Lines<BufReader<ChildStdout>>)> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(ROLE).args(folder);
        let mut process = Leashed::start(&command, Output::Captured, EndSignal::Terminate, None)?;
        let mut lines = BufReader::new(process.take_stdout().context("a pipe")?).lines();
        Ok((Self { address: next(&mut lines)?, process }, lines))
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<SocketAddr> {
    lines.next().context("the upstream does not start")??.trim().parse().context("an address")
}
