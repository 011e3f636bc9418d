//! How each group is run: what it needs is made ready first, and a machine that cannot have it skips the group.

use std::ffi::OsString;
use std::io::{IsTerminal, stdout};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::clients::Variables;
use super::group::Group;
use super::output::Output;
use super::summary::Verdict;
use super::{clients, clients_folder, contract, count, image, leaks, unattended, validators};
use crate::bench::instructions;
use crate::command;
use crate::offline_aws::{self, Registry, Server, Settings};
use crate::operate;
use crate::postgres;
use crate::progress::step;
use crate::workspace::{Program, Workspace, build};
use crate::yardstick;

/// What all groups of a run share.
pub(super) struct Context<'a> {
    /// The checkout.
    pub(super) workspace: &'a Workspace,
    /// Where output is kept.
    pub(super) output: &'a Output,
    /// Parts of test names; none is all.
    pub(super) filters: &'a [String],
    /// Environment of every test.
    pub(super) variables: Vec<(&'static str, OsString)>,
}

/// Runs a group; a failure is an error.
pub(super) fn run(group: Group, context: &Context<'_>) -> Result<Verdict> {
    let workspace = context.workspace;
    match group {
        Group::Unit => cargo_test(group, context, &["--workspace", "--lib", "--bins"], &[]),
        Group::PrepareCheck => verb(group, context, &["prepare", "--check"]),
        Group::It => of_tests(group, context, &[]),
        Group::Aws => match (offline_aws::install(&clients_folder(workspace))?, server_programs()?) {
            (Ok(python), None) => {
                let settings = Settings { python: &python, root: workspace.root(), port: 0, registry: None };
                let server = Server::start(&settings)?;
                let verdict = of_tests(group, context, &[("MOTO_URL", server.url().into())]);
                server.stop().and(verdict)
            }
            (Err(missing), _) | (_, Some(missing)) => Ok(Verdict::Skipped(missing)),
        },
        Group::Chaos => match server_programs()? {
            None => of_tests(group, context, &[]),
            Some(missing) => Ok(Verdict::Skipped(missing)),
        },
        Group::Contract => with(contract::install(workspace)?, |variables| of_tests(group, context, &variables)),
        Group::Clients => {
            with(clients::install(&clients_folder(workspace))?, |variables| of_tests(group, context, &variables))
        }
        Group::Yardstick => with(clients::install_for_yardstick(&clients_folder(workspace))?, |variables| {
            yardstick(context, &variables)
        }),
        Group::Stack => with(validators::install(&workspace.local().join("validators"))?, |variables| {
            // What a deployer is allowed is held against the schemas as well.
            let selection = &["--package", "claude-code-proxy-stack", "--package", "xtask-operate"];
            cargo_test(group, context, selection, &variables)
        }),
        Group::Deploy => deploy(context),
        Group::Image => image(context),
        Group::Instructions => count_instructions(context),
        Group::Soak => match server_programs()? {
            None => soak(context),
            Some(missing) => Ok(Verdict::Skipped(missing)),
        },
        Group::Secrets => {
            // A filtered run may rightly have logged nothing.
            let rule = if context.filters.is_empty() { leaks::Rule::Something } else { leaks::Rule::Anything };
            step(leaks::check(context.output.folder(), rule)?);
            Ok(Verdict::Passed)
        }
    }
}

/// Goes on with what was installed; why it could not be skips the group.
fn with<T>(installed: std::result::Result<T, String>, go_on: impl FnOnce(T) -> Result<Verdict>) -> Result<Verdict> {
    installed.map_or_else(|missing| Ok(Verdict::Skipped(missing)), go_on)
}

/// Runs a verb of `cargo xtask`, in a process of its own, so that its output is kept like that of the other groups.
fn verb(group: Group, context: &Context<'_>, arguments: &[&str]) -> Result<Verdict> {
    let mut command = context.workspace.cargo();
    command.args(["run", "--quiet", "--package", "xtask", "--"]).args(arguments);
    command.envs(context.variables.iter().map(|(name, value)| (name, value)));
    context.output.tee(command, group.name())?;
    Ok(Verdict::Passed)
}

fn count_instructions(context: &Context<'_>) -> Result<Verdict> {
    if let Some(reason) = instructions::incomparable(context.workspace)? {
        return Ok(Verdict::Skipped(reason));
    }
    if let Some(reason) = instructions::missing_program()? {
        ensure!(!unattended(), "{reason}");
        return Ok(Verdict::Skipped(reason));
    }
    // Ahead of the run, for it takes longer than a group may.
    instructions::build(context.workspace)?;
    verb(Group::Instructions, context, &["bench", "--only", "instructions"])
}

/// A minute of what `cargo xtask bench --only soak` does for half an hour, without optimisation.
fn soak(context: &Context<'_>) -> Result<Verdict> {
    // It is one, and no test's name has its own in it.
    if !context.filters.is_empty() {
        return Ok(Verdict::NoMatch);
    }
    build(context.workspace, &[Program::Bench])?;
    let mut command = Command::new(context.workspace.binary(Program::Bench));
    command.args(["--only", "soak", "--minutes", "1", "--to"]).arg(context.output.folder());
    command.envs(context.variables.iter().map(|(name, value)| (name, value)));
    context.output.tee(command, Group::Soak.name())?;
    Ok(Verdict::Passed)
}

/// What tests of deployments need: each starts an AWS of its own, most a registry beside it.
fn deployments(workspace: &Workspace) -> Result<std::result::Result<Variables, String>> {
    if !Registry::is_installed()
        && let Some(reason) = clients::missing("docker-registry", "docker-registry")?
    {
        return Ok(Err(reason));
    }
    let operate = operate::build(workspace)?;
    let installed = offline_aws::install(&clients_folder(workspace))?;
    Ok(installed.map(|python| vec![("OFFLINE_AWS_PYTHON", python), ("OPERATE_BIN", operate.into())]))
}

fn deploy(context: &Context<'_>) -> Result<Verdict> {
    with(deployments(context.workspace)?, |variables| of_tests(Group::Deploy, context, &variables))
}

fn image(context: &Context<'_>) -> Result<Verdict> {
    // The image takes minutes; it is not built where none of its tests is asked for.
    if !context.filters.is_empty() {
        let mut list = context.workspace.cargo();
        list.args(["test", "--quiet", "--package", "claude-code-proxy-tests", "--test", "image"]);
        list.args(["--", "--list"]).args(context.filters);
        list.stderr(Stdio::inherit());
        let listed = list.output().context("cannot list the tests")?;
        if !String::from_utf8_lossy(&listed.stdout).lines().any(|line| line.ends_with(": test")) {
            return Ok(Verdict::NoMatch);
        }
    }
    let workspace = context.workspace;
    with(deployments(workspace)?, |deployments| {
        with(clients::install(&clients_folder(workspace))?, |clients| {
            with(image::prepare(workspace)?, |image| {
                of_tests(Group::Image, context, &[deployments, clients, image].concat())
            })
        })
    })
}

fn yardstick(context: &Context<'_>, variables: &Variables) -> Result<Verdict> {
    yardstick::compile(context.workspace)?;
    if yardstick::list(context.workspace, context.filters)?.is_empty() {
        return Ok(Verdict::NoMatch);
    }
    let mut command = yardstick::command(context.workspace);
    command.args(context.filters);
    command.envs(context.variables.iter().chain(variables).map(|(name, value)| (name, value)));
    context.output.tee(command, Group::Yardstick.name())?;
    Ok(Verdict::Passed)
}

/// The group whose tests are a target of the package of tests, under the group's name.
fn of_tests(group: Group, context: &Context<'_>, variables: &[(&'static str, OsString)]) -> Result<Verdict> {
    cargo_test(group, context, &["--package", "claude-code-proxy-tests", "--test", group.name()], variables)
}

fn cargo_test(
    group: Group,
    context: &Context<'_>,
    selection: &[&str],
    variables: &[(&'static str, OsString)],
) -> Result<Verdict> {
    let colour = if stdout().is_terminal() { "always" } else { "never" };
    let test = || {
        let mut command = context.workspace.cargo();
        command.args(["test", "--color", colour]).args(selection);
        command.envs(context.variables.iter().chain(variables).map(|(name, value)| (name, value)));
        command
    };
    // Compiled apart from the run: cargo shows its progress only when it has the terminal to itself.
    command::run(test().arg("--no-run"), "compile the tests")?;
    let mut command = test();
    command.args(["--", "--color", colour]).args(context.filters);
    if group == Group::Chaos {
        // Its seed and its numbers.
        command.arg("--show-output");
    }
    if group == Group::Stack {
        // Those that need what has just been installed.
        command.arg("--include-ignored");
    }
    context.output.tee(command, group.name())?;
    let nothing_ran = !context.filters.is_empty() && count::tests_run(&context.output.log(group.name())?) == 0;
    Ok(if nothing_ran { Verdict::NoMatch } else { Verdict::Passed })
}

/// Why PostgreSQL's server programs cannot be used, which are needed here whatever `DATABASE_URL` says.
fn server_programs() -> Result<Option<String>> {
    match postgres::find_server() {
        Err(error) if !unattended() => Ok(Some(format!("{error:#}"))),
        found => found.map(|()| None),
    }
}
