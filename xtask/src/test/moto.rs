//! moto, which plays the services of AWS for the group `aws`: installed in a pinned version, started once for the group.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::clients::{missing, python_with};
use super::unattended;
use crate::leash::{EndSignal, Leashed, Output};
use crate::workspace::Workspace;

const MOTO: &str = "5.2.5";
const PATIENCE: Duration = Duration::from_secs(10);

/// Installs it if it is missing, and names the Python that has it. The inner error says why that cannot be done here.
pub(super) fn install(folder: &Path) -> Result<std::result::Result<OsString, String>> {
    if let Some(reason) = missing("python3", "python3")? {
        ensure!(!unattended(), "{reason}");
        return Ok(Err(reason));
    }
    python_with(&folder.join("moto"), "moto", MOTO, "moto[server]").map(Ok)
}

/// The server, which ends with this command.
pub(super) struct Server {
    process: Leashed,
    url: String,
}

impl Server {
    /// Starts it on a free port, and waits until it says which.
    pub(super) fn start(python: &OsString, workspace: &Workspace) -> Result<Self> {
        let mut command = Command::new(python);
        // -B: nothing compiled is left in the sources.
        command.arg("-B").arg(workspace.root().join("tests/offline_aws/server.py"));
        let mut process = Leashed::start(&command, Output::Captured, EndSignal::Terminate, None)?;
        let stdout = process.take_stdout().context("moto has no output")?;
        let mut url = String::new();
        BufReader::new(stdout).read_line(&mut url).context("cannot read what moto prints")?;
        ensure!(url.starts_with("http://"), "moto ended before it listened; its last lines above say why");
        Ok(Self { process, url: url.trim().to_owned() })
    }

    /// Where it listens.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Ends it.
    pub(super) fn stop(self) -> Result<()> {
        self.process.stop(PATIENCE, || false).map(drop)
    }
}
