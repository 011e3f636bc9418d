//! Runs the proxy's roles with the settings of a development set-up.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::administrator::Administrator;
use super::interrupt::Interrupt;
use super::secrets::Secrets;
use super::simulated::Simulated;
use crate::leash::{EndSignal, Leashed, Output};
use crate::progress::step;

const HEALTHY_WITHIN: Duration = Duration::from_secs(30);
/// Longer than the 110 s that the proxy gives to running requests.
const STOPS_WITHIN: Duration = Duration::from_mins(2);

/// The commands of the proxy's binary, with the settings that all of them share.
pub(super) struct Roles {
    program: PathBuf,
    database_url: String,
    key_hasher_secret: String,
    vault_key_file: PathBuf,
    usage_journal: PathBuf,
}

impl Roles {
    /// For a built binary, a database, the secrets, and the folder of what is kept between two runs.
    pub(super) fn new(program: PathBuf, database_url: &str, secrets: &Secrets, folder: &Path) -> Self {
        Self {
            program,
            database_url: database_url.to_owned(),
            key_hasher_secret: secrets.key_hasher_secret.clone(),
            vault_key_file: secrets.vault_key_file.clone(),
            usage_journal: folder.join("usage-journal"),
        }
    }

    /// Brings the database's schema up to date.
    pub(super) fn migrate(&self) -> Command {
        self.role("migrate")
    }

    /// Prints a new access key of a user.
    pub(super) fn issue_key(&self, user: &str) -> Command {
        let mut command = self.role("key");
        command.args(["issue", "--user", user]);
        command
    }

    /// Prints the hash of a password.
    pub(super) fn hash_password(&self) -> Command {
        self.role("hash-password")
    }

    fn serve(
        &self,
        address: SocketAddr,
        simulated: Option<&Simulated>,
        administrator: Option<&Administrator>,
    ) -> Command {
        let mut command = self.role("serve");
        if let Some(Administrator { username, password_hash, .. }) = administrator {
            command.env("ADMIN_USERNAME", username).env("ADMIN_PASSWORD_HASH", password_hash);
        }
        command.env("LISTEN_ADDR", address.to_string());
        if std::env::var_os("USAGE_JOURNAL_DIR").is_none() {
            command.env("USAGE_JOURNAL_DIR", &self.usage_journal);
        }
        // No load balancer has to notice that this one stops.
        command.env("DRAIN_DELAY", "0s");
        if let Some(simulated) = simulated {
            command.env("PLAN_BASE_URL", &simulated.plan_url).env("BEDROCK_ENDPOINT_URL", &simulated.bedrock_url);
        }
        command
    }

    /// What the caller has in the environment goes along, so that any other setting can be tried.
    fn role(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg(name)
            .env("DATABASE_URL", &self.database_url)
            .env("KEY_HASHER_SECRET", &self.key_hasher_secret)
            .env("LOCAL_VAULT_KEY_FILE", &self.vault_key_file);
        command
    }
}

/// The serving proxy.
pub(super) struct Proxy {
    process: Leashed,
    address: SocketAddr,
    healthy: bool,
}

impl Proxy {
    /// Starts it.
    pub(super) fn start(
        roles: &Roles,
        port: u16,
        simulated: Option<&Simulated>,
        administrator: Option<&Administrator>,
    ) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        step(format_args!("starting the proxy on http://{address}"));
        let command = roles.serve(address, simulated, administrator);
        let process = Leashed::start(&command, Output::Inherited, EndSignal::Terminate, None)?;
        Ok(Self { process, address, healthy: false })
    }

    /// Waits until it is healthy.
    pub(super) fn wait_until_healthy(&mut self, interrupt: &Interrupt) -> Result<()> {
        let address = self.address;
        let deadline = Instant::now() + HEALTHY_WITHIN;
        while status_of_health(address) != Some(200) {
            if let Some(status) = self.ended()? {
                bail!("the proxy ended with {status} while it started; its log lines above say why");
            }
            interrupt.check()?;
            ensure!(
                Instant::now() < deadline,
                "the proxy was not healthy within {} s: GET http://{address}/health did not answer 200; its log lines \
                 above say why",
                HEALTHY_WITHIN.as_secs()
            );
            sleep(Duration::from_millis(100));
        }
        self.healthy = true;
        Ok(())
    }

    /// How it ended, or nothing while it runs.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.process.ended()
    }

    /// Lets running requests finish and their usage reach the database.
    pub(super) fn stop(self, interrupt: &Interrupt) -> Result<()> {
        step("stopping the proxy: running requests may finish (Ctrl-C again: at once)");
        let status = self.process.stop(STOPS_WITHIN, || interrupt.impatient())?;
        // Before it is healthy it may not listen for the signal yet, and is ended by it.
        ensure!(
            status.success() || !self.healthy || interrupt.impatient(),
            "the proxy ended with {status} when it was stopped"
        );
        Ok(())
    }
}

fn status_of_health(address: SocketAddr) -> Option<u16> {
    const PATIENCE: Duration = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    write!(stream, "GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    status(&head)
}

/// Reads `HTTP/1.1 200`.
fn status(head: &[u8]) -> Option<u16> {
    std::str::from_utf8(head).ok()?.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_status_line() {
        assert_eq!(status(b"HTTP/1.1 200"), Some(200));
        assert_eq!(status(b"HTTP/1.0 503"), Some(503));
        assert_eq!(status(b"SSH-2.0-xxxx"), None);
    }
}
