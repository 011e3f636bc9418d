//! A private PostgreSQL from the machine's own binaries, or the one that `DATABASE_URL` names.

mod account;
mod binaries;
mod cluster;
mod folder;
mod install;
mod psql;
mod server;

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};

pub use cluster::Cluster;
pub use psql::{Psql, with_database};

use crate::progress::step;
use crate::workspace;
use folder::in_use;

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

impl Database {
    /// Takes the server of `DATABASE_URL`, or starts a private one when that is not set.
    pub fn open(options: &Options) -> Result<Self> {
        if let Some(url) = env::var("DATABASE_URL").ok().filter(|url| !url.is_empty()) {
            step("using the database that DATABASE_URL names");
            return Ok(Self::External(url));
        }
        step(format_args!("starting PostgreSQL in {}", options.data_dir.display()));
        Cluster::start(options).map(Self::Private)
    }

    /// Takes the server of `DATABASE_URL`, or starts one that is thrown away, for a test binary that is run by itself.
    ///
    /// Several test binaries may run at once. Each takes the first folder that no other one uses, so that they leave a few
    /// folders behind and not one a run.
    pub fn for_tests() -> Result<Self> {
        let folder = |number| workspace::root().join(format!(".local/postgres-tests-{number}"));
        let data_dir = (0..MOST_TEST_SERVERS).map(folder).find(|folder| !in_use(folder)).with_context(|| {
            format!("{MOST_TEST_SERVERS} test runs use a PostgreSQL in .local at this moment; end some of them")
        })?;
        Self::open(&Options { data_dir, durable: false })
    }

    /// The URL of the server, password included: never log it.
    pub fn url(&self) -> &str {
        match self {
            Self::External(url) => url,
            Self::Private(cluster) => cluster.url(),
        }
    }
}
