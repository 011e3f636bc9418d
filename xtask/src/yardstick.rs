//! `cargo xtask yardstick`: what the real Claude Code sends to Bedrock by itself, against what the proxy makes of the same
//! prompt. The comparison is a test of its own kind, started here with what it needs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::command::{output, run};
use crate::postgres::Reserved;
use crate::test::{clients, clients_folder, reserve_database};
use crate::workspace::Workspace;

/// Enough for cargo to look at everything and for a list to be printed.
const LISTED_WITHIN: Duration = Duration::from_mins(5);

/// The options of the verb.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Only the cases whose names contain one of these
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
    /// List the cases and run none
    #[arg(long)]
    list: bool,
    /// Keep what was recorded in this folder, three files for each request: what the client sent to Bedrock by itself
    /// (own), what it sent to the proxy (asked), and what the proxy made of it (bridged)
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Runs the comparison and fails when anything differs that is not meant to.
pub fn run_verb(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::locate()?;
    compile(&workspace)?;
    let listed = list(&workspace, &arguments.cases)?;
    ensure!(
        !listed.is_empty(),
        "no case is called {}; `cargo xtask yardstick --list` names them all",
        arguments.cases.join(" or ")
    );
    if arguments.list {
        print!("{listed}");
        return Ok(());
    }
    let variables = match clients::install_for_yardstick(&clients_folder(&workspace))? {
        Ok(variables) => variables,
        Err(missing) => bail!(missing),
    };
    let logs = workspace.target().join("yardstick-output");
    std::fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
    // Held to the end of the run.
    let database = reserve_database(&workspace).and_then(Reserved::open)?;
    let mut comparison = command(&workspace);
    comparison.args(&arguments.cases).envs(variables).env("CCP_TEST_OUTPUT", logs).env("DATABASE_URL", database.url());
    if let Some(folder) = &arguments.keep {
        // The comparison runs in another folder than this command.
        let folder = std::path::absolute(folder).with_context(|| format!("cannot use {}", folder.display()))?;
        comparison.args([OsString::from("--keep"), folder.into()]);
    }
    run(&mut comparison, "compare").context("the table above says what differs")
}

/// Compiles the comparison, with cargo's own progress on the terminal.
pub(crate) fn compile(workspace: &Workspace) -> Result<()> {
    run(cargo_test(workspace).arg("--no-run"), "compile the yardstick")
}

/// The cases whose names contain one of `parts`, a line for each.
pub(crate) fn list(workspace: &Workspace, parts: &[String]) -> Result<String> {
    let listed = output(command(workspace).arg("--list").args(parts), "", LISTED_WITHIN)?;
    ensure!(listed.status.success(), "cannot list the cases: {}", String::from_utf8_lossy(&listed.stderr).trim());
    Ok(String::from_utf8_lossy(&listed.stdout).into_owned())
}

/// The comparison; arguments for it can be added.
pub(crate) fn command(workspace: &Workspace) -> Command {
    let mut command = cargo_test(workspace);
    command.args(["--quiet", "--"]);
    command
}

fn cargo_test(workspace: &Workspace) -> Command {
    let mut command = workspace.cargo();
    command.args(["test", "--package", "claude-code-proxy-tests", "--test", "yardstick"]);
    command
}
