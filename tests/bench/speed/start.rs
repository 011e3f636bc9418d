//! How soon the proxy serves, and how large it is before anybody asks anything.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use support::Surroundings;
use support::process::ServeProcess;

use super::Pace;
use super::line::{Limit, Line};
use crate::process;

/// Starts in a round.
const STARTS: u32 = 5;
/// After that long nothing of the start is under way any more, and what it left has been given back.
const AT_REST: Duration = Duration::from_secs(12);
const MIB: f64 = 1024.0 * 1024.0;

#[expect(clippy::cast_precision_loss, reason = "far less than that")]
pub(super) async fn measure(pace: Pace) -> Result<Vec<Line>> {
    let around = Surroundings::start().await;
    let (mut times, mut processor) = (Vec::new(), Vec::new());
    let mut kept = None;
    for _ in 0..STARTS * pace.rounds {
        if let Some(earlier) = kept.take() {
            stop(earlier).await?;
        }
        let begun = Instant::now();
        let serving = ServeProcess::start(&around).await;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        processor.push(process::processor_time(serving.id())?.as_secs_f64() * 1e3);
        kept = Some(serving);
    }
    let serving = kept.context("at least one start")?;
    tokio::time::sleep(AT_REST).await;
    let idle = process::resident(serving.id())? as f64 / MIB;
    stop(serving).await?;
    let binary = std::env::var_os("CCP_BIN").context("CCP_BIN is not set; use `cargo xtask bench`")?;
    let size = std::fs::metadata(binary)?.len() as f64 / MIB;
    Ok(vec![
        Line::of("start to listening", "ms", [&[], &[], &times], Limit::AtMost(150.0)),
        Line::of("start to listening: processor", "ms", [&[], &[], &processor], Limit::None),
        Line::of("memory of an idle process", "MiB", [&[], &[], &[idle]], Limit::AtMost(40.0)),
        Line::of("release binary", "MiB", [&[], &[], &[size]], Limit::AtMost(30.0)),
    ])
}

async fn stop(serving: ServeProcess) -> Result<()> {
    serving.signal(Signal::TERM);
    let code = serving.exit_code().await;
    ensure!(code == Some(0), "the proxy ended with {code:?}");
    Ok(())
}
