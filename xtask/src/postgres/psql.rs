//! Runs SQL through `psql`, so that no database driver has to be compiled for the verbs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::binaries;
use crate::command::output;

const ANSWERS_WITHIN: Duration = Duration::from_mins(2);

/// `psql` for one database.
#[must_use]
#[derive(Clone, Debug)]
pub struct Psql {
    program: PathBuf,
    url: String,
}

impl Psql {
    /// For the database of a URL.
    pub fn new(url: &str) -> Result<Self> {
        Ok(Self { program: binaries::psql()?, url: url.to_owned() })
    }

    /// The same program for another database of the same server.
    pub fn database(&self, name: &str) -> Self {
        Self { program: self.program.clone(), url: with_database(&self.url, name) }
    }

    /// The path of the program, for showing it to people.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The URL, password included: never log it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs one statement and returns what it prints: one line a row, columns separated by `|`.
    pub fn query(&self, sql: &str) -> Result<String> {
        self.run(&["--tuples-only", "--no-align", "--command", sql])
    }

    /// Runs a file, all or nothing, unless its first line says `-- no-transaction` as sqlx has it.
    pub fn file(&self, path: &Path) -> Result<()> {
        let sql = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let file = format!("--file={}", path.display());
        let mut arguments = vec!["--quiet", &file];
        if !sql.starts_with("-- no-transaction") {
            arguments.push("--single-transaction");
        }
        self.run(&arguments).map(drop).with_context(|| format!("{} failed", path.display()))
    }

    /// Makes a database of this name if there is none.
    pub fn create_database_if_missing(&self, name: &str) -> Result<()> {
        if self.query(&format!("select 1 from pg_database where datname = '{name}'"))?.is_empty() {
            self.query(&format!("create database \"{name}\""))?;
        }
        Ok(())
    }

    /// Removes a database of this name if there is one, whoever is connected to it.
    pub fn drop_database(&self, name: &str) -> Result<()> {
        self.query(&format!("drop database if exists \"{name}\" with (force)")).map(drop)
    }

    fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        let (url, password) = without_password(&self.url);
        // Not as an argument: every user of the machine can read those.
        if let Some(password) = password {
            command.env("PGPASSWORD", password);
        }
        command
            .args(["--no-psqlrc", "--no-password", "--set=ON_ERROR_STOP=1"])
            .args(arguments)
            .arg(url)
            .env("PGCONNECT_TIMEOUT", "10");
        let output = output(&mut command, "", ANSWERS_WITHIN)?;
        ensure!(
            output.status.success(),
            "psql ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// The URL of another database on the same server.
pub fn with_database(url: &str, name: &str) -> String {
    let (address, parameters) = url.split_once('?').map_or((url, None), |(address, rest)| (address, Some(rest)));
    let host = address.find("://").map_or(0, |position| position + 3);
    let end = address[host..].find('/').map_or(address.len(), |position| host + position);
    let parameters = parameters.map(|parameters| format!("?{parameters}")).unwrap_or_default();
    format!("{}/{name}{parameters}", &address[..end])
}

/// The URL without its password, and the password.
fn without_password(url: &str) -> (String, Option<String>) {
    let parts = || {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.find(['/', '?']).unwrap_or(rest.len());
        let at = rest[..authority].rfind('@')?;
        let (user, password) = rest[..at].split_once(':')?;
        Some((format!("{scheme}://{user}{}", &rest[at..]), percent_decoded(password)))
    };
    parts().map_or_else(|| (url.to_owned(), None), |(url, password)| (url, Some(password)))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        assert_eq!(with_database("postgres://u:p@h:1/a", "b"), "postgres://u:p@h:1/b");
        assert_eq!(with_database("postgres://u:p@h:1", "b"), "postgres://u:p@h:1/b");
        assert_eq!(with_database("postgres://h/a?sslmode=require", "b"), "postgres://h/b?sslmode=require");
        assert_eq!(with_database("postgres://h?host=/tmp", "b"), "postgres://h/b?host=/tmp");
    }

    #[test]
    fn the_password_is_taken_out_of_a_url() {
        let split = |url| without_password(url);
        assert_eq!(split("postgres://u:p%40x@h:1/a"), ("postgres://u@h:1/a".into(), Some("p@x".into())));
        assert_eq!(split("postgres://u@h/a"), ("postgres://u@h/a".into(), None));
        assert_eq!(split("postgres://h:5432/a@b:c"), ("postgres://h:5432/a@b:c".into(), None));
        assert_eq!(percent_decoded("100%"), "100%");
    }
}
