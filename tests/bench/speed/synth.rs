//! How long the template of the infrastructure takes, from the start of the command to its end.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::Pace;
use super::line::{Limit, Line};

pub(super) fn measure(pace: Pace) -> Result<Vec<Line>> {
    // The check goes first: where what is committed is not fresh, writing would change the checkout.
    let ways = [("checked", &["synth", "--check"][..]), ("written", &["synth"])];
    let mut lines = Vec::new();
    for (what, arguments) in ways {
        let times = (0..pace.rounds).map(|_| run(arguments)).collect::<Result<Vec<f64>>>()?;
        lines.push(Line::of(format!("synthesis, {what}"), "ms", [&[], &[], &times], Limit::None));
    }
    Ok(lines)
}

/// Milliseconds that the command takes.
fn run(arguments: &[&str]) -> Result<f64> {
    let program = std::env::var_os("XTASK_BIN").context("XTASK_BIN is not set; use `cargo xtask bench`")?;
    let begun = Instant::now();
    let ended = Command::new(program).args(arguments).stdin(Stdio::null()).output().context("xtask does not start")?;
    let took = begun.elapsed();
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "`xtask {}` fails: {}", arguments.join(" "), said.trim());
    Ok(took.as_secs_f64() * 1e3)
}
