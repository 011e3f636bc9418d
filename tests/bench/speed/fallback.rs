//! How long the proxy takes from the plan's refusal to the call of Bedrock: both are told by the upstream, which is both.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::answers::Wish;
use super::client::{Ask, Connection, noted};
use super::line::{Limit, Line};
use super::stage::{Stage, Way};
use super::{Pace, upstream};
use crate::statistics::quantile;

/// Asked before anything is counted.
const WARM_UP: usize = 50;
/// Bytes of a prompt.
const BODY: usize = 100_000;

#[expect(clippy::cast_precision_loss, reason = "a short time")]
pub(super) async fn measure(pace: Pace) -> Result<Vec<Line>> {
    let stage = Stage::start().await?;
    let (target, upstream) = (stage.target(Way::Proxy)?, stage.target(Way::Direct)?);
    let ask = Ask::new(Wish::Refusal, BODY);
    let mut connection = Connection::open(&target).await?;
    let (mut halves, mut worst) = (Vec::new(), Vec::new());
    for _ in 0..WARM_UP {
        connection.ask(&ask, |_| {}).await?;
    }
    noted(&upstream, upstream::FALLBACKS).await?;
    for _ in 0..pace.rounds {
        let begun = Instant::now();
        let mut asked = 0;
        while begun.elapsed() < pace.lasts {
            connection.ask(&ask, |_| {}).await?;
            asked += 1;
        }
        let took: Vec<u64> = serde_json::from_slice(&noted(&upstream, upstream::FALLBACKS).await?)?;
        ensure!(took.len() == asked, "Bedrock was called {} times for {asked} requests", took.len());
        let took: Vec<f64> = took.into_iter().map(|nanoseconds| nanoseconds as f64 / 1e6).collect();
        halves.push(quantile(&took, 0.5));
        worst.push(quantile(&took, 0.99));
    }
    stage.stop().await?;
    Ok(vec![
        Line::of("fallback, 100 KB body: refusal to call, p50", "ms", [&[], &[], &halves], Limit::AtMost(1.0)),
        Line::of("fallback, 100 KB body: refusal to call, p99", "ms", [&[], &[], &worst], Limit::None),
    ])
}
