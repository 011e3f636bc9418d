//! The yardstick of the bridge: what Claude Code itself sends to Bedrock, against what the proxy makes of the same prompt.
//!
//! Reading order: `cases.rs` (what is compared), `record.rs` (how a pair comes about), `normalise.rs` and
//! `differences.rs` (what may differ), and `support::difference` (how two bodies are compared).

#![expect(clippy::unwrap_used, reason = "a broken assumption has to stop a case on the spot")]

mod cases;
mod differences;
mod keep;
mod normalise;
mod record;
mod report;
mod talk;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use futures_util::{StreamExt as _, stream};
use support::difference::{Knowledge, mismatches};

use cases::{CASES, Case, Program};
use differences::KNOWN;
use record::Pair;

/// A run of the client keeps a core busy.
const AT_A_TIME: usize = 2;

/// Lists whose elements have names.
const NAMED: &[&str] = &["tools", "anthropic_beta"];

/// Compare what Claude Code itself sends to Bedrock with what the proxy makes of the same prompt.
#[derive(Parser)]
#[command(name = "cargo xtask yardstick")]
struct Arguments {
    /// Only the cases whose names contain one of these
    #[arg(value_name = "CASE")]
    cases: Vec<String>,
    /// List the cases and run none
    #[arg(long)]
    list: bool,
    /// Keep the recorded pairs in this folder
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Where, and what; the way there is of no use to a reader.
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    let cases: Vec<Case> = CASES.iter().copied().filter(|case| chosen(&arguments.cases, case.name)).collect();
    if arguments.list {
        for case in &cases {
            println!("{:<18} {}", case.name, case.about);
        }
        return ExitCode::SUCCESS;
    }
    if compare(&cases, arguments.keep).await { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn chosen(wanted: &[String], name: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()))
}

/// Runs the cases and says whether nothing differs but what may.
async fn compare(cases: &[Case], folder: Option<PathBuf>) -> bool {
    report::head();
    let mut knowledge = Knowledge::new(KNOWN);
    let mut needed = vec![Vec::new(); KNOWN.len()];
    let mut compared = Vec::new();
    let mut well = true;
    let mut recorded = stream::iter(cases.iter().copied().map(recorded)).buffered(AT_A_TIME);
    while let Some((case, took, outcome)) = recorded.next().await {
        let pair = match outcome {
            Outcome::Recorded(pair) => pair,
            Outcome::Impossible(why) => {
                report::not_compared(case, took, "FAILED", why);
                well = false;
                continue;
            }
            Outcome::Failed => {
                report::not_compared(case, took, "FAILED", "for the reason above");
                well = false;
                continue;
            }
        };
        if let Some(folder) = &folder {
            keep::keep(folder, case, &pair).unwrap();
        }
        let bodies = pair.own.iter().zip(&pair.bridged);
        let bodies = bodies.map(|(own, bridged)| [own, bridged].map(|request| normalise::normalised(request, case)));
        let seen: Vec<_> =
            bodies.map(|[own, bridged]| knowledge.sort(case.name, mismatches(&own, &bridged, NAMED))).collect();
        report::compared(case, took, &seen);
        well &= seen.iter().all(|seen| seen.unknown.is_empty());
        for (row, cases) in needed.iter_mut().enumerate() {
            cases.extend(seen.iter().any(|seen| seen.known.contains(&row)).then_some(case.name));
        }
        compared.push(case.name);
    }
    let all: Vec<_> = CASES.iter().map(|case| case.name).collect();
    let stale = knowledge.stale(&all, &compared);
    report::footer(KNOWN, &needed, &stale);
    well && stale.is_empty()
}

/// What came of a case.
enum Outcome {
    Recorded(Pair),
    /// It cannot run here, for this reason.
    Impossible(&'static str),
    /// A panic has said why.
    Failed,
}

async fn recorded(case: Case) -> (Case, Duration, Outcome) {
    let started = Instant::now();
    if case.program == Program::OldClaudeCode && std::env::var_os("NODE_BIN").is_none() {
        return (case, started.elapsed(), Outcome::Impossible("this client needs Node.js, which is missing here"));
    }
    // As a task of its own, so that a broken assumption ends this case and not the others.
    let outcome = tokio::spawn(record::record(case)).await.map_or(Outcome::Failed, Outcome::Recorded);
    (case, started.elapsed(), outcome)
}
