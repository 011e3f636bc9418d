//! Installs PostgreSQL where we may, and otherwise says the exact command.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::apt;

/// The install command for this operating system.
pub(super) fn command() -> &'static str {
    command_for(cfg!(target_os = "macos"), |path| Path::new(path).exists())
}

/// Installs the server programs and looks for them again.
pub(super) fn server(locate: impl Fn() -> Result<Option<PathBuf>>) -> Result<PathBuf> {
    package("postgresql", "the programs `postgres` and `initdb`", locate)
}

/// Installs `psql` and looks for it again.
pub(super) fn client(locate: impl Fn() -> Result<Option<PathBuf>>) -> Result<PathBuf> {
    package("postgresql-client", "the program `psql`", locate)
}

fn package(name: &str, what: &str, locate: impl Fn() -> Result<Option<PathBuf>>) -> Result<PathBuf> {
    if !apt::available() {
        bail!(
            "{what} of PostgreSQL were not found; install them with `{}`, or name their folder in PG_BINDIR, or set \
             DATABASE_URL to a running server",
            command()
        );
    }
    prevent_system_cluster()?;
    apt::install(&[name])?;
    locate()?.with_context(|| format!("{what} are still not found after `apt-get install {name}`; set PG_BINDIR"))
}

/// Debian's package would make and start a cluster of its own; we want its programs and nothing that runs.
fn prevent_system_cluster() -> Result<()> {
    let folder = Path::new("/etc/postgresql-common/createcluster.d");
    let file = folder.join("no-main-cluster.conf");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, "create_main_cluster = false\n"))
        .with_context(|| format!("cannot write {}", file.display()))
}

fn command_for(macos: bool, exists: impl Fn(&str) -> bool) -> &'static str {
    if macos {
        "brew install postgresql@17"
    } else if exists("/usr/bin/dnf") {
        "sudo dnf install postgresql-server"
    } else if exists("/usr/bin/apt-get") {
        "sudo apt-get install postgresql"
    } else {
        "your system's package manager: the PostgreSQL server, 15 or later"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_gets_its_own_command() {
        assert_eq!(command_for(true, |_| true), "brew install postgresql@17");
        assert_eq!(command_for(false, |path| path.ends_with("dnf")), "sudo dnf install postgresql-server");
        assert_eq!(command_for(false, |path| path.ends_with("apt-get")), "sudo apt-get install postgresql");
        assert!(command_for(false, |_| false).contains("15 or later"));
    }
}
