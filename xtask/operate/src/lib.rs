//! The verbs of `cargo xtask` that speak to AWS: a program of its own, so that nobody else waits for the SDK.
//!
//! Reading order: `deploy.rs` and `deploy/steps.rs`, then what they are made of: `source.rs` (what the checkout says), `deployed.rs`
//! (what AWS has), `changes` (the difference, as a person sees it), `change_set.rs`, `operation.rs`, `migration.rs`.

mod alarms;
mod aws;
mod bucket;
mod change_set;
mod changes;
mod confirm;
mod containers;
mod deploy;
mod deployed;
mod diff;
mod drift;
mod events;
mod exit;
mod failure;
mod guard;
mod image;
mod log_stream;
mod migrate;
mod migration;
mod operation;
mod remedies;
mod report;
mod resolve;
mod rollout;
mod settings;
mod settle;
mod source;
mod ticker;

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
    let code = runtime.block_on(async {
        tokio::select! {
            done = run(cli) => done.map_or_else(|error| { failure(&error); exit::code(&error) }, |()| 0),
            () = interrupted() => {
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
    match &cli.verb {
        Verb::Deploy(arguments) => deploy::run(arguments, &cli.place).await,
        Verb::Diff(arguments) => diff::run(arguments, &cli.place).await,
        Verb::Migrate(arguments) => migrate::run(arguments, &cli.place).await,
    }
}

/// Ctrl-C, or the end of a pipeline's patience.
async fn interrupted() {
    let mut terminated = match signal(SignalKind::terminate()) {
        Ok(terminated) => terminated,
        Err(_) => return std::future::pending().await,
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}
