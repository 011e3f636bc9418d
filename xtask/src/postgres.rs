//! A private PostgreSQL from the machine's own binaries, or the one that `DATABASE_URL` names.

mod account;
mod binaries;
mod cluster;
mod external;
mod folder;
mod install;
mod port;
mod psql;
mod server;

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};

pub use cluster::{Cluster, Stop};
pub use folder::in_use;
pub use psql::{Psql, with_database};

use crate::progress::step;
use crate::workspace;

const MOST_TEST_SERVERS: usize = 16;

/// What to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of the cluster: its data, password and server log. Made if missing.
    pub data_dir: PathBuf,
    /// Whether the data outlives the process. If not, the folder is emptied at each start and nothing waits for the disk.
    pub durable: bool,
}

/// A database server that is there for us.
#[derive(Debug)]
pub enum Database {
    /// Someone else's, found through `DATABASE_URL`.
    External(String),
    /// Ours; it stops when this is dropped.
    Private(Cluster),
}

/// A server that can be opened: whatever a person could have set wrongly has been looked at, before minutes go into a build.
#[must_use]
#[derive(Debug)]
pub enum Reserved {
    /// Someone else's, which answers.
    External(String),
    /// Ours: its programs are found and its folder is locked.
    Private(cluster::Reserved),
}

impl Database {
    /// Takes the server of `DATABASE_URL`, or starts a private one when that is not set.
    pub fn open(options: &Options) -> Result<Self> {
        Self::reserve(options)?.open()
    }

    /// Checks all that is needed to open the server, without starting anything yet.
    pub fn reserve(options: &Options) -> Result<Reserved> {
        if let Some(url) = external_url() {
            external::check(&url)?;
            // Within `cargo xtask test` it was said by the verb itself, or the variable is the verb's own.
            if env::var_os("CCP_TEST_OUTPUT").is_none() {
                step("using the database that DATABASE_URL names");
            }
            return Ok(Reserved::External(url));
        }
        let reserved = cluster::Reserved::new(options)?;
        // Every verb runs SQL, too; a missing `psql` is better told now.
        binaries::psql()?;
        Ok(Reserved::Private(reserved))
    }

    /// Takes the server of `DATABASE_URL`, or starts one that is thrown away, for a test binary that is run by itself.
    ///
    /// Several test binaries may run at once. Each takes the first folder that no other one uses, so that they leave a few
    /// folders behind and not one a run.
    pub fn for_tests() -> Result<Self> {
        if let Some(url) = external_url() {
            return Ok(Self::External(url));
        }
        cluster::Reserved::new(&free_folder("postgres-tests")?)?.start().map(Self::Private)
    }

    /// The URL of the server, password included: never log it.
    pub fn url(&self) -> &str {
        match self {
            Self::External(url) => url,
            Self::Private(cluster) => cluster.url(),
        }
    }
}

impl Cluster {
    /// An empty cluster that a test may stop and start again, whatever `DATABASE_URL` says. No stop loses what was stored.
    pub fn for_outages() -> Result<Self> {
        cluster::Reserved::new(&free_folder("postgres-outages")?)?.anew()?.start()
    }

    /// An empty cluster that offers TLS with this certificate and its key, both in PEM, whatever `DATABASE_URL` says.
    pub fn with_tls(certificate: &str, key: &str) -> Result<Self> {
        cluster::Reserved::new(&free_folder("postgres-tls")?)?.with_tls(certificate, key).start()
    }
}

impl Reserved {
    /// Starts the server if it is ours to start.
    pub fn open(self) -> Result<Database> {
        match self {
            Self::External(url) => Ok(Database::External(url)),
            Self::Private(reserved) => reserved.start().map(Database::Private),
        }
    }
}

/// Finds the programs of a server, and installs them where we may.
pub fn find_server() -> Result<()> {
    binaries::Binaries::find().map(drop)
}

/// The first folder of this name that no other test uses, for data that is thrown away.
fn free_folder(name: &str) -> Result<Options> {
    let folder = |number| workspace::root().join(format!(".local/{name}-{number}"));
    let data_dir = (0..MOST_TEST_SERVERS).map(folder).find(|folder| folder::usable(folder)).with_context(|| {
        format!("{MOST_TEST_SERVERS} test runs use a PostgreSQL in .local at this moment; end some of them")
    })?;
    Ok(Options { data_dir, durable: false })
}

/// The value of `DATABASE_URL`, if it is set.
pub fn external_url() -> Option<String> {
    env::var("DATABASE_URL").ok().filter(|url| !url.is_empty())
}
