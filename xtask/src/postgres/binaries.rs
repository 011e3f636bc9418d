//! Finds the PostgreSQL programs of the machine.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::install;
use crate::command::output;

/// The oldest major version that the project's SQL is written for.
const OLDEST: u32 = 15;

const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// The folder with `postgres` and its companions.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    folder: PathBuf,
    major: u32,
}

impl Binaries {
    /// Finds the server programs, and installs them where we may.
    pub(super) fn find() -> Result<Self> {
        let folder = match locate(&["postgres", "initdb"])? {
            Some(folder) => folder,
            None => install::server(|| locate(&["postgres", "initdb"]))?,
        };
        let output = output(Command::new(folder.join("postgres")).arg("--version"), "", ANSWERS_WITHIN)?;
        let version = String::from_utf8_lossy(&output.stdout);
        let version = version.trim();
        let major = major_version(version)
            .with_context(|| format!("{} says {version:?} where its version belongs", folder.display()))?;
        ensure!(
            major >= OLDEST,
            "PostgreSQL {OLDEST} or later is needed, but {} has \"{version}\"; install a newer one ({}) and, if it is not \
             found by itself, name its folder of programs in PG_BINDIR, or set DATABASE_URL to a running server",
            folder.display(),
            install::command(),
        );
        Ok(Self { folder, major })
    }

    /// The path of one program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The major version, such as 15.
    pub(super) fn major(&self) -> u32 {
        self.major
    }
}

/// Finds `psql` alone, which is all that an external database needs.
pub(super) fn psql() -> Result<PathBuf> {
    let folder = match locate(&["psql"])? {
        Some(folder) => folder,
        None => install::client(|| locate(&["psql"]))?,
    };
    Ok(folder.join("psql"))
}

/// The first folder that has all of the programs; a `PG_BINDIR` that lacks one is an error, not a reason to look elsewhere.
fn locate(programs: &[&str]) -> Result<Option<PathBuf>> {
    if let Some(folder) = env::var_os("PG_BINDIR").map(PathBuf::from) {
        if let Some(missing) = programs.iter().find(|program| !folder.join(program).is_file()) {
            bail!(
                "PG_BINDIR is {}, but there is no `{missing}` in it; set it to the folder of PostgreSQL's programs, such as \
                 /usr/lib/postgresql/15/bin, or unset it to let them be found",
                folder.display()
            );
        }
        return Ok(Some(folder));
    }
    let has_all = |folder: &PathBuf| programs.iter().all(|program| folder.join(program).is_file());
    Ok(candidates().into_iter().find(has_all))
}

/// All folders worth a look, best first.
fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(output) = output(Command::new("pg_config").arg("--bindir"), "", ANSWERS_WITHIN) {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/opt/homebrew/opt", "postgresql@"),
        ("/usr/local/opt", "postgresql@"),
    ] {
        let names = fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let mut versions: Vec<(u32, PathBuf)> = names
            .filter_map(|name| {
                let version = name.to_str()?.strip_prefix(prefix)?.parse().ok()?;
                Some((version, Path::new(parent).join(&name).join("bin")))
            })
            .collect();
        versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        folders.extend(versions.into_iter().map(|(_, folder)| folder));
    }
    folders.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    folders
}

/// Reads `postgres (PostgreSQL) 15.13 (Debian ...)`, also `17beta1` and `18devel`.
fn major_version(text: &str) -> Option<u32> {
    let (_, version) = text.split_once("(PostgreSQL) ")?;
    let digits = version.split(|character: char| !character.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_major_version() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 17beta1"), Some(17));
        assert_eq!(major_version("postgres (PostgreSQL) 9.6.24"), Some(9));
        assert_eq!(major_version("mysqld 8.0"), None);
        assert_eq!(major_version(""), None);
    }
}
