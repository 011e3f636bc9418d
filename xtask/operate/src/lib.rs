//! The verbs of `cargo xtask` that speak to AWS: a program of its own, so that nobody else waits for the SDK.
//!
//! Reading order: `deploy.rs` and `deploy/steps.rs`, then what they are made of: `source.rs` (what the checkout says), `deployed.rs`
//! (what AWS has), `changes` (the difference, as a person sees it), `change_set.rs`, `operation.rs`, `migration.rs`.

mod admin;
mod alarms;
mod aws;
mod bucket;
mod change_set;
mod changes;
mod confirm;
mod containers;
mod deploy;
mod deployed;
mod destroy;
mod diff;
mod drift;
mod events;
mod exit;
mod failure;
mod guard;
mod image;
mod kept;
mod log_stream;
mod logs;
mod migrate;
mod migration;
mod operation;
mod policy;
mod remedies;
mod report;
mod resolve;
mod rollout;
mod settings;
mod settle;
mod source;
mod status;
mod stdout;
mod ticker;
#[cfg(test)]
mod workflow;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use xtask::progress::{failure, loud};

/// Deployments of Claude Code Proxy in AWS
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = exit::HELP)]
struct Cli {
    #[command(flatten)]
    place: aws::Where,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Make the deployment in AWS, or bring it up to date: infrastructure, image, schema, service
    Deploy(deploy::Arguments),
    /// Show what a deployment would change
    Diff(diff::Arguments),
    /// Bring the schema of a database up to date
    Migrate(migrate::Arguments),
    /// Show how the deployment is: versions, tasks, alarms, addresses
    Status(status::Arguments),
    /// Show the log of the deployed service
    Logs(logs::Arguments),
    /// Take the deployment down, and say what is kept
    Destroy(destroy::Arguments),
    /// Set the administrator's password of the deployment
    Admin(admin::Arguments),
    /// Print what a deployer has to be allowed, as policies of IAM
    Policy(policy::Arguments),
}

impl Verb {
    /// Whether Ctrl-C is its ordinary end, which it sees to itself.
    fn ends_when_interrupted(&self) -> bool {
        matches!(self, Self::Logs(arguments) if arguments.follow)
    }
}

/// Runs the verb of the command line to its end.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            failure(&anyhow::Error::new(error).context("cannot start"));
            return ExitCode::FAILURE;
        }
    };
    let ends_itself = cli.verb.ends_when_interrupted();
    let code = runtime.block_on(async {
        tokio::select! {
            done = run(cli) => done.map_or_else(|error| { failure(&error); exit::code(&error) }, |()| 0),
            () = interrupted(), if !ends_itself => {
                loud("interrupted; what AWS was told goes on, and the same command takes it up again");
                130
            }
        }
    });
    // An upload in another thread may still wait for the network; its end is not waited for.
    runtime.shutdown_background();
    ExitCode::from(code)
}

async fn run(cli: Cli) -> Result<()> {
    let place = &cli.place;
    match &cli.verb {
        Verb::Deploy(arguments) => deploy::run(place, arguments).await,
        Verb::Diff(arguments) => diff::run(place, arguments).await,
        Verb::Migrate(arguments) => migrate::run(place, arguments).await,
        Verb::Status(arguments) => status::run(place, arguments).await,
        Verb::Logs(arguments) => logs::run(place, arguments).await,
        Verb::Destroy(arguments) => destroy::run(place, arguments).await,
        Verb::Admin(arguments) => admin::run(place, arguments).await,
        Verb::Policy(arguments) => policy::run(place, arguments).await,
    }
}

/// Ctrl-C, or the end of a pipeline's patience.
async fn interrupted() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}
