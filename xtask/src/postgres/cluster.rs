//! A private cluster: made once, started for us alone, stopped with us.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::Options;
use super::account::run_as;
use super::binaries::Binaries;
use super::folder::{Folder, remove};
use super::server::{Server, wait_for_earlier};
use crate::command::{output, signal};
use crate::leash::Leashed;
use crate::progress::step;

/// A fast shutdown writes what is in memory to the disk, which takes a moment after much work.
const SHUTDOWN_WITHIN: Duration = Duration::from_secs(30);

const CREATED_WITHIN: Duration = Duration::from_mins(2);

/// A running private cluster. Dropping it stops the server and waits for it; the folder stays.
#[derive(Debug)]
pub struct Cluster {
    url: String,
    server: Option<Leashed>,
    binaries: Binaries,
    // Held for its lock, and let go only after the server has ended.
    folder: Folder,
    durable: bool,
}

/// How a server is stopped in the middle of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It ends its connections and writes down what it has in memory.
    Fast,
    /// It ends at once, and recovers from its log of writes when it starts again.
    Immediate,
}

/// A cluster that nobody else can use: its programs are found and its folder is locked, but nothing runs yet.
#[derive(Debug)]
pub struct Reserved {
    binaries: Binaries,
    folder: Folder,
    durable: bool,
    /// Certificate and key in PEM.
    tls: Option<[String; 2]>,
}

impl Reserved {
    /// Finds the programs and locks the folder.
    pub(super) fn new(options: &Options) -> Result<Self> {
        let binaries = Binaries::find()?;
        let folder = Folder::open(&options.data_dir)?;
        if options.durable {
            // Asked for what it says about data of another version; what is thrown away may be anything.
            folder.holds_cluster(binaries.major())?;
        }
        Ok(Self { binaries, folder, durable: options.durable, tls: None })
    }

    /// The same with the data of earlier runs deleted; what is written from now on outlives the server, however it ends.
    pub(super) fn anew(self) -> Result<Self> {
        wait_for_earlier(&self.folder.data())?;
        self.folder.empty()?;
        Ok(Self { durable: true, ..self })
    }

    /// The same with TLS.
    pub(super) fn with_tls(self, certificate: &str, key: &str) -> Self {
        Self { tls: Some([certificate.to_owned(), key.to_owned()]), ..self }
    }

    /// Makes the cluster if there is none yet and starts it on a free port of 127.0.0.1.
    pub(super) fn start(self) -> Result<Cluster> {
        let Self { binaries, folder, durable, tls } = self;
        step(format_args!("starting PostgreSQL in {}", folder.path().display()));
        wait_for_earlier(&folder.data())?;
        if !durable {
            folder.empty()?;
        }
        if !folder.holds_cluster(binaries.major())? {
            create(&binaries, &folder, durable)?;
        }
        if let Some([certificate, key]) = tls {
            folder.write_tls(&certificate, &key)?;
        }
        let mut cluster = Cluster { url: String::new(), server: None, binaries, folder, durable };
        cluster.start()?;
        Ok(cluster)
    }
}

impl Cluster {
    /// Starts the server again; the URL may be another one then, if somebody has taken the port.
    pub fn start(&mut self) -> Result<()> {
        let Server { process, port } = Server::start(&self.binaries, &self.folder, self.durable)?;
        self.url = format!("postgres://ccp:{}@127.0.0.1:{port}/postgres", self.folder.password()?);
        self.server = Some(process);
        Ok(())
    }

    /// Stops the server and waits for its end.
    pub fn stop(&mut self, how: Stop) -> Result<()> {
        let Some(server) = self.server.take() else { return Ok(()) };
        if how == Stop::Immediate {
            signal(server.id(), Signal::QUIT);
        }
        server.stop(SHUTDOWN_WITHIN, || false).map(drop)
    }

    /// What the server has logged since the cluster was made.
    pub fn log(&self) -> Result<String> {
        let path = self.folder.log();
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// The superuser's URL for the database `postgres`, password included: never log it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Fails when the server has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        let ended = self.server.as_mut().map_or(Ok(None), Leashed::ended)?;
        ensure!(
            ended.is_none(),
            "PostgreSQL ended by itself; the reason is at the end of {}",
            self.folder.log().display()
        );
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Nobody could act on a failure here; the leash has already asked the server to end.
        let _ = self.stop(Stop::Fast);
    }
}

fn create(binaries: &Binaries, folder: &Folder, durable: bool) -> Result<()> {
    let draft = folder.draft();
    remove(&draft)?;
    folder.write_password()?;
    let mut command = Command::new(binaries.program("initdb"));
    command
        .args(["--username=ccp", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"])
        .arg(format!("--pwfile={}", folder.password_file().display()))
        .arg(format!("--pgdata={}", draft.display()));
    if !durable {
        command.arg("--no-sync");
    }
    let output = output(run_as(&mut command, folder.account()), "", CREATED_WITHIN)?;
    ensure!(
        output.status.success(),
        "initdb could not make a cluster in {}: {}\n{}",
        draft.display(),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    fs::rename(&draft, folder.data()).with_context(|| format!("cannot rename {}", draft.display()))
}
