//! The measurements of `cargo xtask bench`, which starts this program with a release build of the proxy and a database.
//!
//! Each benchmark prints its table and writes it to `.local/bench`. One that finds something wrong fails after that.

mod admin;
mod fill;
mod machine;
mod metering;
mod output;
mod process;
mod queries;
mod report;
mod sizing;
mod soak;
mod speed;
mod statistics;
mod svg;

use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use tokio::sync::OnceCell;
use xtask::bench::{Arguments, Scenario};
use xtask::progress::{failure, step};

use output::Output;

/// Measures the proxy; meant to be started by `cargo xtask bench`
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Options {
    #[command(flatten)]
    arguments: Arguments,
}

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|role| role == speed::ROLE) {
        return speed::run_upstream();
    }
    let measured = || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(measure(&Options::parse().arguments))
    };
    match measured() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            failure(&error);
            ExitCode::FAILURE
        }
    }
}

async fn measure(arguments: &Arguments) -> Result<()> {
    let server =
        || std::env::var("DATABASE_URL").context("DATABASE_URL is not set; start this with `cargo xtask bench`");
    let output = Output::open(arguments)?;
    let filled = OnceCell::new();
    let open = || filled.get_or_try_init(async || fill::open(&server()?, arguments.rows).await);
    let (mut wrong, mut lines, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for scenario in arguments.chosen() {
        step(format_args!("benchmark {}", scenario.name()));
        let report = match scenario {
            Scenario::Queries => {
                queries::ensure_complete()?;
                queries::measure(open().await?).await?
            }
            Scenario::Admin => {
                admin::ensure_complete()?;
                admin::measure(open().await?).await?
            }
            Scenario::Metering => {
                let (report, added) = metering::measure(arguments, output.folder()).await?;
                others.extend(added);
                report
            }
            Scenario::Soak => {
                // It has a server of its own, and a picture.
                let soak = soak::measure(arguments).await?;
                output.shown(scenario.name(), &soak.report, &soak.machine, &soak.picture)?;
                wrong.extend(soak.report.wrong);
                continue;
            }
            Scenario::Sizing => {
                let Some(sizing) = sizing::measure(arguments).await? else { continue };
                let machine = machine::describe(&server()?).await?;
                output.shown(scenario.name(), &sizing.report, &machine, &sizing.picture)?;
                others.extend(sizing.lines);
                continue;
            }
            speed => {
                let measured = speed::measure(speed, arguments).await?;
                let report = speed::report(speed.name(), &measured);
                lines.extend(measured);
                report
            }
        };
        output.table(scenario.name(), &report, &machine::describe(&server()?).await?)?;
        wrong.extend(report.wrong);
    }
    // Those that have a table of their own are in the summary, too, and are none by themselves.
    if !lines.is_empty() {
        lines.extend(others);
        let (report, picture) = speed::summary(&lines);
        output.shown("speed", &report, &machine::describe(&server()?).await?, &picture)?;
    }
    if let Some(filled) = filled.into_inner() {
        filled.leave(arguments.keep).await?;
    }
    ensure!(wrong.is_empty(), "not as it should be:\n  {}", wrong.join("\n  "));
    Ok(())
}
