//! `cargo xtask prepare`: renews the generated files that are committed, or checks that they are fresh.
//!
//! They are `.sqlx/`, what PostgreSQL says about every query in the code, and `openapi/`, the description of the HTTP API.

mod compare;
mod query_cache;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::run;
use crate::postgres::{Database, Options};
use crate::progress::step;
use crate::workspace::{Program, Workspace, build};

/// The options of the verb.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Change nothing, and fail when a committed file is stale
    #[arg(long)]
    check: bool,
}

/// Renews or checks all generated files.
pub fn run_verb(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::locate()?;
    let database = Database::open(&Options { data_dir: workspace.local().join("postgres-prepare"), durable: false })?;
    // In this order: where the query cache is stale the app does not build, and without it there is no description.
    let mut stale = Vec::new();
    stale.extend(settle(&workspace, ".sqlx", arguments.check, |folder| {
        query_cache::generate(&workspace, database.url(), folder)
    })?);
    stale.extend(settle(&workspace, "openapi", arguments.check, |folder| describe_api(&workspace, folder))?);
    if arguments.check && !stale.is_empty() {
        bail!("generated files are stale; renew and commit them with `cargo xtask prepare`:\n  {}", stale.join("\n  "));
    }
    step(if arguments.check { "all generated files are fresh" } else { "all generated files are renewed" });
    Ok(())
}

/// Generates one folder aside, and then compares it with the committed one or puts it in its place.
fn settle(
    workspace: &Workspace,
    name: &str,
    check: bool,
    generate: impl FnOnce(&Path) -> Result<()>,
) -> Result<Vec<String>> {
    let fresh = workspace.target().join("prepare").join(name.trim_start_matches('.'));
    if fresh.exists() {
        fs::remove_dir_all(&fresh).with_context(|| format!("cannot empty {}", fresh.display()))?;
    }
    fs::create_dir_all(&fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
    generate(&fresh)?;
    let committed = workspace.root().join(name);
    let differences = compare::folders(&committed, &fresh)?;
    for difference in &differences {
        if !check {
            difference.settle(&committed, &fresh)?;
        }
    }
    let lines: Vec<_> = differences.iter().map(|difference| format!("{name}/{difference}")).collect();
    if !check {
        lines.iter().for_each(step);
    }
    Ok(lines)
}

fn describe_api(workspace: &Workspace, folder: &Path) -> Result<()> {
    build(workspace, &[Program::Proxy])?;
    step("describing the HTTP API");
    let mut command = Command::new(workspace.binary(Program::Proxy));
    run(command.arg("openapi").arg("--dir").arg(folder), "write the description of the HTTP API")
}
