//! What stands between adds to the time until an answer begins, at half of the load that the proxy can serve.

use anyhow::Result;
use xtask::progress::step;

use super::answers::Wish;
use super::client::Ask;
use super::line::{Limit, Line};
use super::stage::{Stage, Way};
use super::{Pace, cost, open};
use crate::statistics::quantile;

/// Bytes of a prompt.
const BODY: usize = 16_000;

pub(super) async fn measure(pace: Pace) -> Result<Vec<Line>> {
    let stage = Stage::start().await?;
    let ask = Ask::new(Wish::Json, BODY);
    let rate = cost::saturation(&stage, Way::Proxy, &ask).await? / 2.0;
    let mut halves = [const { Vec::new() }; 3];
    let mut worst = [const { Vec::new() }; 3];
    for round in 0..pace.rounds {
        for (turn, _) in Way::ALL.iter().enumerate() {
            let way = (turn + round as usize) % Way::ALL.len();
            let done = open::run(&stage.target(Way::ALL[way])?, &ask, rate, pace.lasts).await?;
            halves[way].push(quantile(&done.first_bytes, 0.5));
            worst[way].push(quantile(&done.first_bytes, 0.99));
        }
        step(format_args!("round {} of {}: p50 {:.2?}, p99 {:.2?} ms", round + 1, pace.rounds, halves, worst));
    }
    stage.stop().await?;
    let what = format!("first byte at {rate:.0} requests/s");
    let values = |of: &'_ [Vec<f64>; 3], name: &str, limit| {
        Line::of(format!("{what}, {name}"), "ms", [&of[0], &of[1], &of[2]], Limit::AboveDirect(limit))
    };
    Ok(vec![values(&halves, "p50", 0.25), values(&worst, "p99", 1.0)])
}
