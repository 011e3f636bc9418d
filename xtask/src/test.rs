//! `cargo xtask test`: every test in groups, with what they need installed and started, and a summary at the end.

pub(crate) mod clients;
mod contract;
mod count;
mod group;
mod image;
mod leaks;
mod output;
mod run;
mod summary;
mod validators;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::postgres::{Database, Options, Reserved};
use crate::progress::{failure, loud, show, step};
use crate::workspace::{Program, Workspace, build};
use group::Group;
use output::Output;
use run::{Context, run};
use summary::{Summary, Verdict};

/// The options of the verb.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Run this group only; may be given more than once
    #[arg(long, value_enum, value_name = "GROUP")]
    only: Vec<Group>,
    /// Run only tests whose names contain one of these
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
}

/// Runs the groups one after the other, also after one has failed, and fails when any of them has.
pub fn run_verb(arguments: &Arguments) -> Result<()> {
    let groups = chosen(arguments);
    let workspace = Workspace::locate()?;
    let folder = workspace.target().join("test-output");
    // Checking for leaks alone looks at what the last run has left.
    let output = if groups == [Group::Secrets] { Output::keep(folder) } else { Output::begin(folder)? };
    let mut variables: Vec<(&str, OsString)> =
        vec![("RUST_BACKTRACE", "1".into()), ("CCP_TEST_OUTPUT", output.folder().into())];
    // Before the build, so that a wrong setting is told at once.
    let reserved =
        groups.iter().any(|group| group.needs_database()).then(|| reserve_database(&workspace)).transpose()?;
    if groups.iter().any(|group| group.needs_programs()) {
        build(&workspace, &[Program::Proxy, Program::Simulate])?;
        variables.push(("CCP_BIN", workspace.binary(Program::Proxy).into()));
        variables.push(("SIMULATE_BIN", workspace.binary(Program::Simulate).into()));
    }
    // Held to the end of the run.
    let database = reserved.map(Reserved::open).transpose()?;
    variables.extend(database.iter().map(|database| ("DATABASE_URL", database.url().into())));

    let context = Context { workspace: &workspace, output: &output, filters: &arguments.filters, variables };
    let mut summary = Summary::default();
    for group in groups {
        step(format_args!("group {group}"));
        let started = Instant::now();
        let verdict = run(group, &context).unwrap_or_else(|error| {
            failure(&error);
            Verdict::Failed(format!("{error:#}"))
        });
        if let Verdict::Skipped(reason) = &verdict {
            loud(format_args!("group {group} is skipped: {reason}"));
        }
        summary.add(group, verdict, started.elapsed());
    }
    drop(database);
    show(&summary);
    ensure!(!summary.failed(), "tests failed; their output is in {}", output.folder().display());
    ensure!(
        !summary.nothing_matched(),
        "no test matches {}; write a part of a test's name, modules included, such as `fallback`, or nothing for all tests",
        arguments.filters.join(" or ")
    );
    Ok(())
}

/// A database for tests alone.
pub(crate) fn reserve_database(workspace: &Workspace) -> Result<Reserved> {
    Database::reserve(&Options { data_dir: workspace.local().join("postgres-test"), durable: false })
}

fn chosen(arguments: &Arguments) -> Vec<Group> {
    let all = Group::ALL.into_iter();
    if arguments.only.is_empty() { all.collect() } else { all.filter(|group| arguments.only.contains(group)).collect() }
}

/// Whether nobody is there to read a message and install something.
pub(crate) fn unattended() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// The folder of the client programs that tests drive.
pub(crate) fn clients_folder(workspace: &Workspace) -> PathBuf {
    workspace.local().join("clients")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_groups_keep_their_order() {
        let arguments = Arguments { only: vec![Group::Secrets, Group::It], filters: Vec::new() };
        assert_eq!(chosen(&arguments), [Group::It, Group::Secrets]);
        let everything = Arguments { only: Vec::new(), filters: Vec::new() };
        assert_eq!(chosen(&everything), Group::ALL);
    }
}
