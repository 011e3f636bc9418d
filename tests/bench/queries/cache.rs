//! The queries of the service, word for word, from the cache that the compiler checks them against.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use xtask::workspace;

/// The two tables that grow.
pub(super) const TABLES: [&str; 2] = ["token_usage", "usage_aggregates"];

/// All queries of the service.
#[derive(Debug)]
pub(super) struct Cache(Vec<Statement>);

/// One of them.
#[derive(Debug)]
pub(super) struct Statement {
    /// Its text.
    pub(super) sql: String,
    /// How many parameters it takes.
    pub(super) parameters: usize,
    /// Its text in one line, with a semicolon at the end.
    line: String,
}

impl Cache {
    /// Reads `.sqlx`.
    pub(super) fn read() -> Result<Self> {
        let folder = workspace::root().join(".sqlx");
        let mut statements = Vec::new();
        for file in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = file?.path();
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let json: Value = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))?;
            let sql = json["query"].as_str().with_context(|| format!("no query in {}", path.display()))?.to_owned();
            let parameters = json["describe"]["parameters"]["Left"].as_array().map_or(0, Vec::len);
            let line = sql.split_whitespace().collect::<Vec<_>>().join(" ") + ";";
            statements.push(Statement { sql, parameters, line });
        }
        Ok(Self(statements))
    }

    /// The only one with this in its line.
    pub(super) fn find(&self, part: &str) -> Result<&Statement> {
        let found: Vec<_> = self.0.iter().filter(|statement| statement.has(part)).collect();
        match found[..] {
            [statement] => Ok(statement),
            _ => bail!("{} queries in .sqlx, and not one, have in them: {part}", found.len()),
        }
    }

    /// Those on the two tables.
    pub(super) fn on_usage(&self) -> impl Iterator<Item = &Statement> {
        self.0.iter().filter(|statement| TABLES.iter().any(|table| statement.has(table)))
    }
}

impl Statement {
    /// Whether its line has this in it.
    pub(super) fn has(&self, part: &str) -> bool {
        self.line.contains(part)
    }

    /// The text in one line.
    pub(super) fn line(&self) -> &str {
        &self.line
    }
}
