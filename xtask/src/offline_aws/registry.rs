//! A registry that plays ECR: Debian's `docker-registry`, with its images in a folder.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::leash::{EndSignal, Leashed, Output};

const PROGRAM: &str = "docker-registry";
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

/// The registry, which ends with this process.
#[derive(Debug)]
pub struct Registry {
    _process: Leashed,
    url: String,
}

impl Registry {
    /// Whether the program is there.
    pub fn is_installed() -> bool {
        Command::new(PROGRAM).arg("--version").output().is_ok_and(|output| output.status.success())
    }

    /// Starts it on a free port, with its images and its log in `folder`. Anybody may push.
    pub fn start(folder: &Path) -> Result<Self> {
        let images = folder.join("images");
        fs::create_dir_all(&images).with_context(|| format!("cannot make {}", images.display()))?;
        // Given back before the registry takes it; it cannot be told to take a free one.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let address = address.context("no free port for a registry")?;
        let config = format!(
            "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {:?}}}}}\nhttp: {{addr: \"{address}\"}}\n",
            images.display().to_string()
        );
        let file = folder.join("config.yml");
        fs::write(&file, config).with_context(|| format!("cannot write {}", file.display()))?;
        let log = folder.join("registry.log");
        let log_file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(PROGRAM);
        command.arg("serve").arg(&file);
        let mut process = Leashed::start(&command, Output::File(log_file), EndSignal::Terminate, None)?;
        wait_for(address, &mut process)
            .with_context(|| format!("the registry does not listen; see {}", log.display()))?;
        Ok(Self { _process: process, url: format!("http://{address}") })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }
}

fn wait_for(address: SocketAddr, process: &mut Leashed) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect_timeout(&address, POLL).is_err() {
        ensure!(process.ended()?.is_none(), "it ended by itself");
        ensure!(Instant::now() < deadline, "waited for {PATIENCE:?}");
        sleep(POLL);
    }
    Ok(())
}
