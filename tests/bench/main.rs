//! The measurements of `cargo xtask bench`, which starts this program with a release build of the proxy and a database.
//!
//! Each benchmark prints its table and writes it to `.local/bench`. One that finds something wrong fails after that.

mod admin;
mod fill;
mod machine;
mod metering;
mod process;
mod publish;
mod queries;
mod report;
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
    let folder = arguments.to.clone().unwrap_or_else(|| xtask::workspace::root().join(".local/bench"));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let filled = OnceCell::new();
    let open = || filled.get_or_try_init(async || fill::open(&server()?, arguments.rows).await);
    let (mut wrong, mut lines) = (Vec::new(), Vec::new());
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
            Scenario::Metering => metering::measure(arguments, &folder).await?,
            Scenario::Soak => {
                // It has a server of its own, and a picture.
                let soak = soak::measure(arguments).await?;
                let text = soak.report.to_markdown(&soak.machine);
                println!("\n{text}");
                publish::publish(&[("soak.md", &text), ("soak.svg", &soak.picture)], &folder, arguments)?;
                wrong.extend(soak.report.wrong);
                continue;
            }
            speed => {
                let measured = speed::measure(speed, arguments).await?;
                let report = speed::report(speed.name(), &measured);
                lines.extend(measured);
                report
            }
        };
        let text = report.to_markdown(&machine::describe(&server()?).await?);
        println!("\n{text}");
        let file = folder.join(scenario.name()).with_extension("md");
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        step(format_args!("written to {}", file.display()));
        wrong.extend(report.wrong);
    }
    if !lines.is_empty() {
        speed::publish(&lines, &machine::describe(&server()?).await?, &folder, arguments)?;
    }
    if let Some(filled) = filled.into_inner() {
        filled.leave(arguments.keep).await?;
    }
    ensure!(wrong.is_empty(), "not as it should be:\n  {}", wrong.join("\n  "));
    Ok(())
}
