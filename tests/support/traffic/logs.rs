//! What the proxies and PostgreSQL have said meanwhile.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use serde_json::Value;

use crate::TestDatabase;

/// PostgreSQL goes away under those who are connected, and they under it; nothing else may be an error.
const EXPECTED: [&str; 7] = [
    "terminating connection due to administrator command",
    // What a fast shutdown says to those who are just logging in.
    "canceling authentication due to timeout",
    "the database system is shutting down",
    "the database system is starting up",
    "the database system is in recovery mode",
    "the database system is not yet accepting connections",
    "connection to client lost",
];
/// What a proxy says of a key that it does not know while the database is away. That this befalls no key of a developer is
/// seen in their answers.
const UNCHECKED: &str = "an access key could not be checked";

/// What a process logs.
#[derive(Clone, Debug)]
pub struct Log {
    /// Where.
    pub path: PathBuf,
    /// So many bytes come before the load's first request to it.
    pub before: u64,
}

/// What the logs of the proxies come to.
#[derive(Default, Debug)]
pub struct Said {
    /// Errors under the load, and `usage` lines that are no row. A proxy that starts without the database may say so.
    pub wrong: Vec<String>,
    /// Records that processes found in the journals of those that were killed.
    pub recovered: u64,
}

impl Said {
    /// Reads them all.
    pub async fn in_logs(logs: &[Log], database: &TestDatabase) -> Self {
        let query = sqlx::query_scalar("SELECT request_id FROM token_usage").fetch_all(&database.pool);
        let stored: HashSet<String> = query.await.unwrap().into_iter().collect();
        let mut said = Self::default();
        for log in logs {
            said.read(log, &stored);
        }
        said
    }

    fn read(&mut self, Log { path, before }: &Log, stored: &HashSet<String>) {
        // Line by line: the log of half an hour is large.
        let (mut log, mut line, mut at) = (BufReader::new(File::open(path).unwrap()), String::new(), 0);
        loop {
            line.clear();
            let length = log.read_line(&mut line).unwrap();
            // A process that was killed may not have come to the end of its last line.
            if !line.ends_with('\n') {
                return;
            }
            let entry: Value = serde_json::from_str(&line).unwrap();
            let is_missing = || entry["request_id"].as_str().is_none_or(|id| !stored.contains(id));
            let is_error = entry["level"] == "ERROR" && entry["message"] != UNCHECKED && at >= *before;
            if is_error || (entry["message"] == "usage" && is_missing()) {
                self.wrong.push(format!("{}: {line}", path.display()));
            }
            if entry["message"] == "the usage journal is open" {
                self.recovered += entry["records"].as_u64().unwrap();
            }
            at += u64::try_from(length).unwrap();
        }
    }
}

/// What PostgreSQL should not have said.
pub fn of_server(log: &str) -> Vec<String> {
    let told = |line: &&str| ["ERROR:", "FATAL:", "PANIC:", "deadlock"].iter().any(|word| line.contains(word));
    let unexpected = log.lines().filter(told).filter(|line| !EXPECTED.iter().any(|text| line.contains(text)));
    unexpected.map(|line| format!("PostgreSQL: {line}")).collect()
}
