//! What the proxies and PostgreSQL have said meanwhile.

use std::collections::HashSet;

use serde_json::Value;
use support::TestDatabase;

use crate::proxies::Log;

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

/// What the logs of the proxies come to.
#[derive(Default, Debug)]
pub(crate) struct Said {
    /// Errors under the load, and `usage` lines that are no row. A proxy that starts without the database may say so.
    pub(crate) wrong: Vec<String>,
    /// Records that processes found in the journals of those that were killed.
    pub(crate) recovered: u64,
}

impl Said {
    pub(crate) async fn in_logs(logs: &[Log], database: &TestDatabase) -> Self {
        let query = sqlx::query_scalar("SELECT request_id FROM token_usage").fetch_all(&database.pool);
        let stored: HashSet<String> = query.await.unwrap().into_iter().collect();
        let mut said = Self::default();
        for log in logs {
            said.read(log, &stored);
        }
        said
    }

    fn read(&mut self, Log { path, before }: &Log, stored: &HashSet<String>) {
        let (log, mut at) = (std::fs::read_to_string(path).unwrap(), 0);
        // A process that was killed may not have come to the end of its last line.
        for line in log.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let entry: Value = serde_json::from_str(line).unwrap();
            let is_missing = || entry["request_id"].as_str().is_none_or(|id| !stored.contains(id));
            let is_error = entry["level"] == "ERROR" && at >= *before;
            if is_error || (entry["message"] == "usage" && is_missing()) {
                self.wrong.push(format!("{}: {line}", path.display()));
            }
            if entry["message"] == "the usage journal is open" {
                self.recovered += entry["records"].as_u64().unwrap();
            }
            at += line.len() as u64;
        }
    }
}

/// What PostgreSQL should not have said.
pub(crate) fn of_server(log: &str) -> Vec<String> {
    let told = |line: &&str| ["ERROR:", "FATAL:", "PANIC:", "deadlock"].iter().any(|word| line.contains(word));
    let unexpected = log.lines().filter(told).filter(|line| !EXPECTED.iter().any(|text| line.contains(text)));
    unexpected.map(|line| format!("PostgreSQL: {line}")).collect()
}
