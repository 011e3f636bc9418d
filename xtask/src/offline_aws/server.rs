//! The server that plays AWS: moto in a pinned version, and what `tests/offline_aws` adds to it.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::leash::{EndSignal, Leashed, Output};
use crate::test::clients::{missing, python_with};
use crate::test::unattended;

const MOTO: &str = "5.2.5";
const PATIENCE: Duration = Duration::from_secs(10);

/// Installs it under `folder` if it is missing, and names the Python that has it. The inner error says why that cannot be
/// done here.
pub fn install(folder: &Path) -> Result<std::result::Result<OsString, String>> {
    if let Some(reason) = missing("python3", "python3")? {
        ensure!(!unattended(), "{reason}");
        return Ok(Err(reason));
    }
    python_with(&folder.join("moto"), "moto", MOTO, "moto[server]").map(Ok)
}

/// How a server is started.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// The Python that has moto.
    pub python: &'a OsStr,
    /// The folder of the checkout.
    pub root: &'a Path,
    /// The port on loopback; 0 takes a free one.
    pub port: u16,
    /// Address of the registry that plays ECR; without it images have nowhere to go.
    pub registry: Option<&'a str>,
}

/// The server, which ends with this process.
#[derive(Debug)]
pub struct Server {
    process: Leashed,
    url: String,
}

impl Server {
    /// Starts it, and waits until it says where it listens.
    pub fn start(settings: &Settings<'_>) -> Result<Self> {
        let mut command = Command::new(settings.python);
        // -B: nothing compiled is left in the sources.
        command.arg("-B").arg(settings.root.join("tests/offline_aws/server.py"));
        command.arg("--port").arg(settings.port.to_string());
        if let Some(registry) = settings.registry {
            command.args(["--registry", registry]);
        }
        let mut process = Leashed::start(&command, Output::Captured, EndSignal::Terminate, None)?;
        let stdout = process.take_stdout().context("the offline AWS has no output")?;
        let mut url = String::new();
        BufReader::new(stdout).read_line(&mut url).context("cannot read what the offline AWS prints")?;
        ensure!(url.starts_with("http://"), "the offline AWS ended before it listened; its last lines above say why");
        Ok(Self { process, url: url.trim().to_owned() })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.process.ended()?.is_some())
    }

    /// Ends it.
    pub fn stop(self) -> Result<()> {
        self.process.stop(PATIENCE, || false).map(drop)
    }
}
