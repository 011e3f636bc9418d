//! Generates the query cache of sqlx, as `cargo sqlx prepare` would, without that tool.
//!
//! The `query!` macros write what the database says about their query into `SQLX_OFFLINE_DIR` when they are compiled with
//! `SQLX_OFFLINE=false` and a `DATABASE_URL`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};

use crate::command::run;
use crate::postgres::Psql;
use crate::progress::step;
use crate::workspace::Workspace;

/// Compiles the app's library against a scratch database with the schema of `migrations/`.
pub(super) fn generate(workspace: &Workspace, server: &str, folder: &Path) -> Result<()> {
    let server = Psql::new(server)?;
    let name = format!("ccp_prepare_{}", std::process::id());
    server.create_database_if_missing(&name)?;
    let scratch = server.database(&name);
    let compiled = migrate(workspace, &scratch).and_then(|()| compile(workspace, &scratch, folder));
    let dropped = server.drop_database(&name);
    compiled.and(dropped)
}

/// Not through the app's own `migrate`: where the cache is stale the app does not build.
fn migrate(workspace: &Workspace, scratch: &Psql) -> Result<()> {
    let files = migrations(&workspace.root().join("migrations"))?;
    step(format_args!("applying {} migrations to a scratch database", files.len()));
    files.iter().try_for_each(|file| scratch.file(file))
}

fn compile(workspace: &Workspace, scratch: &Psql, folder: &Path) -> Result<()> {
    step("asking PostgreSQL about every query (compiles the app's library)");
    let touched = Touched::touch(workspace.root().join("app/src/lib.rs"))?;
    let checked = run(
        workspace
            .cargo()
            // With xtask beside it, the dependencies have the features that they have in the whole workspace, so that
            // what `cargo clippy --workspace` has compiled is used again.
            .args(["check", "--package", "claude-code-proxy", "--package", "xtask", "--lib"])
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", folder)
            .env("DATABASE_URL", scratch.url()),
        "compile the app against the scratch database",
    );
    touched.restore()?;
    checked?;
    // An empty cache would be taken for the truth, and every committed file deleted.
    let written = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?.count();
    ensure!(
        written > 0,
        "compiling the app has written no query to {}; has it no `query!` any more?",
        folder.display()
    );
    Ok(())
}

/// All migrations in the order of their numbers, as sqlx takes them.
fn migrations(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<_> =
        entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(|path| is_migration(path)).collect();
    files.sort_by_key(|path| number(path));
    ensure!(!files.is_empty(), "there are no migrations in {}", folder.display());
    Ok(files)
}

fn is_migration(path: &Path) -> bool {
    let undoes = path.file_stem().is_some_and(|stem| Path::new(stem).extension().is_some_and(|kind| kind == "down"));
    path.extension().is_some_and(|kind| kind == "sql") && !undoes
}

fn number(path: &Path) -> u64 {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('_').next().and_then(|digits| digits.parse().ok()).unwrap_or(u64::MAX)
}

/// A source file that looks changed, so that cargo compiles it although nothing has changed for it.
struct Touched {
    path: PathBuf,
    before: SystemTime,
    now: SystemTime,
}

impl Touched {
    fn touch(path: PathBuf) -> Result<Self> {
        let before = modified(&path)?;
        set_modified(&path, SystemTime::now())?;
        let now = modified(&path)?;
        Ok(Self { path, before, now })
    }

    /// Puts the time back, so that other builds are not repeated; unless someone has saved the file meanwhile.
    fn restore(&self) -> Result<()> {
        if modified(&self.path)? == self.now { set_modified(&self.path, self.before) } else { Ok(()) }
    }
}

fn modified(path: &Path) -> Result<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).with_context(|| format!("cannot read {}", path.display()))
}

fn set_modified(path: &Path, time: SystemTime) -> Result<()> {
    File::options()
        .append(true)
        .open(path)
        .and_then(|file| file.set_modified(time))
        .with_context(|| format!("cannot touch {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_go_by_their_number() {
        let mut paths = [Path::new("m/10_c.sql"), Path::new("m/0002_b.sql"), Path::new("m/0001_a.sql")];
        paths.sort_by_key(|path| number(path));
        assert_eq!(paths, [Path::new("m/0001_a.sql"), Path::new("m/0002_b.sql"), Path::new("m/10_c.sql")]);
        assert!(!is_migration(Path::new("m/0001_a.down.sql")));
        assert!(is_migration(Path::new("m/0001_a.sql")));
        assert!(!is_migration(Path::new("m/README.md")));
    }
}
