//! The groups of tests: what each of them runs and what it needs.

use std::ffi::OsString;
use std::fmt::{Display, Formatter};
use std::io::{IsTerminal, stdout};
use std::process::Stdio;

use anyhow::{Context as _, Result};

use super::clients::Variables;
use super::moto::{self, Server};
use super::output::Output;
use super::summary::Verdict;
use super::{clients, clients_folder, contract, count, image, leaks, unattended, validators};
use crate::command::run;
use crate::postgres;
use crate::progress::step;
use crate::workspace::Workspace;
use crate::yardstick;

/// A part of the tests, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Group {
    /// The small tests in the files that they test
    Unit,
    /// The generated files are fresh
    PrepareCheck,
    /// The app against PostgreSQL and scripted upstreams
    It,
    /// The app against moto, which plays the services of AWS
    Aws,
    /// The bill after a minute of load during which everything goes wrong
    Chaos,
    /// The documents of the API, under tools of others that read them: linters, generators, a fuzzer, a browser
    Contract,
    /// The app under the real clients
    Clients,
    /// What the real client sends to Bedrock by itself and through the app is the same
    Yardstick,
    /// The infrastructure, against what AWS publishes about it
    Stack,
    /// The image that `cargo xtask build` makes, in a registry and as a container
    Image,
    /// No secret of the tests is in any of their logs
    Secrets,
}

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

impl Group {
    /// All groups.
    pub(super) const ALL: [Self; 11] = [
        Self::Unit,
        Self::PrepareCheck,
        Self::It,
        Self::Aws,
        Self::Chaos,
        Self::Contract,
        Self::Clients,
        Self::Yardstick,
        Self::Stack,
        Self::Image,
        Self::Secrets,
    ];

    /// The name on the command line and in the summary.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::PrepareCheck => "prepare-check",
            Self::It => "it",
            Self::Aws => "aws",
            Self::Chaos => "chaos",
            Self::Contract => "contract",
            Self::Clients => "clients",
            Self::Yardstick => "yardstick",
            Self::Stack => "stack",
            Self::Image => "image",
            Self::Secrets => "secrets",
        }
    }

    /// Whether a server must run. The group `chaos` starts one that it may stop.
    pub(super) fn needs_database(self) -> bool {
        matches!(
            self,
            Self::PrepareCheck | Self::It | Self::Aws | Self::Contract | Self::Clients | Self::Yardstick | Self::Image
        )
    }

    /// Whether the programs must be built.
    pub(super) fn needs_programs(self) -> bool {
        matches!(self, Self::It | Self::Aws | Self::Chaos | Self::Clients)
    }

    /// Whether it consists of tests or cases with names.
    pub(super) fn takes_filters(self) -> bool {
        !matches!(self, Self::PrepareCheck | Self::Secrets)
    }

    /// Runs the group; a failure is an error.
    pub(super) fn run(self, context: &Context<'_>) -> Result<Verdict> {
        match self {
            Self::Unit => self.cargo_test(context, &["--workspace", "--lib", "--bins"], &[]),
            Self::PrepareCheck => {
                // A process of its own, so that its output is kept like that of the other groups.
                let mut command = context.workspace.cargo();
                command.args(["run", "--quiet", "--package", "xtask", "--", "prepare", "--check"]);
                command.envs(context.variables.iter().map(|(name, value)| (name, value)));
                context.output.tee(command, self.name())?;
                Ok(Verdict::Passed)
            }
            Self::It => self.cargo_test(context, &["--package", "claude-code-proxy-tests", "--test", "it"], &[]),
            Self::Aws => match (moto::install(&clients_folder(context.workspace))?, server_programs()?) {
                (Ok(python), None) => {
                    let server = Server::start(&python, context.workspace)?;
                    let variables = vec![("MOTO_URL", server.url().into())];
                    let selection = &["--package", "claude-code-proxy-tests", "--test", "aws"];
                    let verdict = self.cargo_test(context, selection, &variables);
                    server.stop().and(verdict)
                }
                (Err(missing), _) | (_, Some(missing)) => Ok(Verdict::Skipped(missing)),
            },
            Self::Chaos => match server_programs()? {
                None => self.cargo_test(context, &["--package", "claude-code-proxy-tests", "--test", "chaos"], &[]),
                Some(missing) => Ok(Verdict::Skipped(missing)),
            },
            Self::Contract => match contract::install(context.workspace)? {
                Ok(variables) => self.cargo_test(
                    context,
                    &["--package", "claude-code-proxy-tests", "--test", "contract"],
                    &variables,
                ),
                Err(missing) => Ok(Verdict::Skipped(missing)),
            },
            Self::Clients => match clients::install(&clients_folder(context.workspace))? {
                Ok(variables) => {
                    self.cargo_test(context, &["--package", "claude-code-proxy-tests", "--test", "clients"], &variables)
                }
                Err(missing) => Ok(Verdict::Skipped(missing)),
            },
            Self::Yardstick => match clients::install_for_yardstick(&clients_folder(context.workspace))? {
                Ok(variables) => self.yardstick(context, &variables),
                Err(missing) => Ok(Verdict::Skipped(missing)),
            },
            Self::Stack => match validators::install(&context.workspace.local().join("validators"))? {
                Ok(variables) => self.cargo_test(context, &["--package", "claude-code-proxy-stack"], &variables),
                Err(missing) => Ok(Verdict::Skipped(missing)),
            },
            Self::Image => self.image(context),
            Self::Secrets => {
                // A filtered run may rightly have logged nothing.
                let rule = if context.filters.is_empty() { leaks::Rule::Something } else { leaks::Rule::Anything };
                step(leaks::check(context.output.folder(), rule)?);
                Ok(Verdict::Passed)
            }
        }
    }

    fn image(self, context: &Context<'_>) -> Result<Verdict> {
        let selection = ["--package", "claude-code-proxy-tests", "--test", "image"];
        // The image takes minutes; it is not built where none of its tests is asked for.
        if !context.filters.is_empty() {
            let mut list = context.workspace.cargo();
            list.args(["test", "--quiet"]).args(selection).args(["--", "--list"]).args(context.filters);
            list.stderr(Stdio::inherit());
            let listed = list.output().context("cannot list the tests")?;
            if !String::from_utf8_lossy(&listed.stdout).lines().any(|line| line.ends_with(": test")) {
                return Ok(Verdict::NoMatch);
            }
        }
        match image::prepare(context.workspace)? {
            Ok(variables) => self.cargo_test(context, &selection, &variables),
            Err(missing) => Ok(Verdict::Skipped(missing)),
        }
    }

    fn yardstick(self, context: &Context<'_>, variables: &Variables) -> Result<Verdict> {
        yardstick::compile(context.workspace)?;
        if yardstick::list(context.workspace, context.filters)?.is_empty() {
            return Ok(Verdict::NoMatch);
        }
        let mut command = yardstick::command(context.workspace);
        command.args(context.filters);
        command.envs(context.variables.iter().chain(variables).map(|(name, value)| (name, value)));
        context.output.tee(command, self.name())?;
        Ok(Verdict::Passed)
    }

    fn cargo_test(
        self,
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
        run(test().arg("--no-run"), "compile the tests")?;
        let mut command = test();
        command.args(["--", "--color", colour]).args(context.filters);
        if self == Self::Chaos {
            // Its seed and its numbers.
            command.arg("--show-output");
        }
        if self == Self::Stack {
            // Those that need what has just been installed.
            command.arg("--include-ignored");
        }
        context.output.tee(command, self.name())?;
        let nothing_ran = !context.filters.is_empty() && count::tests_run(&context.output.log(self.name())?) == 0;
        Ok(if nothing_ran { Verdict::NoMatch } else { Verdict::Passed })
    }
}

/// Why PostgreSQL's server programs cannot be used, which are needed here whatever `DATABASE_URL` says.
fn server_programs() -> Result<Option<String>> {
    match postgres::find_server() {
        Err(error) if !unattended() => Ok(Some(format!("{error:#}"))),
        found => found.map(|()| None),
    }
}

impl Display for Group {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn the_command_line_uses_the_same_names() {
        for group in Group::ALL {
            let name = group.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(name.as_deref(), Some(group.name()));
        }
    }
}
