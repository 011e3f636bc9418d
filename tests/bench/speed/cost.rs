//! What a request costs of the processor, compared with nginx at the same rate.

use std::time::Duration;

use anyhow::Result;
use xtask::progress::step;

use super::answers::{EVENTS, Wish};
use super::client::Ask;
use super::line::{Limit, Line};
use super::stage::{Stage, Way};
use super::{Pace, closed, open};

/// Connections at a time.
const CONNECTIONS: usize = 16;

/// How long a way is used as much as it can be.
const SATURATED: Duration = Duration::from_secs(3);

/// A kind of request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    what: &'static str,
    wish: Wish,
    body: usize,
    /// So many times what nginx takes.
    target: f64,
}

/// A small request with a small answer.
pub(crate) const SMALL: Cost = Cost { what: "small JSON", wish: Wish::Json, body: 1000, target: 1.5 };
/// What Claude Code mostly asks, if models were as fast as they can be.
pub(crate) const STREAM: Cost =
    Cost { what: "100 KB body, 200 events at full speed", wish: Wish::Events, body: 100_000, target: 2.0 };
/// A long conversation.
pub(crate) const LARGE: Cost = Cost { what: "1 MB body, small JSON", wish: Wish::Json, body: 1_000_000, target: 1.5 };

/// The rate is half of what the proxy reaches, for both. At their limits one would be measured with several requests at a
/// time wherever it looks, and the other one by one, with somebody to be woken for each.
pub(super) async fn measure(cost: Cost, pace: Pace) -> Result<Vec<Line>> {
    debug_assert!(cost.wish != Wish::Events || EVENTS == 200);
    let stage = Stage::start().await?;
    let ask = Ask::new(cost.wish, cost.body);
    let mut limits = [Vec::new(), Vec::new()];
    for (way, limits) in Way::RELAYS.into_iter().zip(&mut limits) {
        limits.push(saturation(&stage, way, &ask).await?);
    }
    let [_, of_proxy] = &limits;
    let rate = of_proxy[0] / 2.0;
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..pace.rounds {
        let mut order = [0, 1];
        // Whatever the first one gains by its place, each has it in turn.
        order.rotate_left((round % 2) as usize);
        for way in order {
            let done = open::run(&stage.target(Way::RELAYS[way])?, &ask, rate, pace.lasts).await?;
            times[way].push(done.processor);
        }
        let [nginx, proxy] = [&times[0], &times[1]].map(|values| values.last().copied().unwrap_or_default());
        step(format_args!(
            "round {} of {}: nginx {nginx:.0} µs, proxy {proxy:.0} µs at {rate:.0}/s",
            round + 1,
            pace.rounds
        ));
    }
    stage.stop().await?;
    let [nginx_limits, proxy_limits] = &limits;
    Ok(vec![
        Line::of(
            format!("{}: processor at {rate:.0} requests/s", cost.what),
            "µs/request",
            [&[], &times[0], &times[1]],
            Limit::TimesNginx(cost.target),
        ),
        Line::of(format!("{}: most", cost.what), "requests/s", [&[], nginx_limits, proxy_limits], Limit::None),
    ])
}

/// How many requests in a second can be served this way at the most, everything on this machine.
pub(super) async fn saturation(stage: &Stage, way: Way, ask: &Ask) -> Result<f64> {
    let rate = closed::run(&stage.target(way)?, ask, CONNECTIONS, SATURATED).await?;
    // What has to be stored of it is stored before anything else is measured.
    tokio::time::sleep(SATURATED * 2).await;
    Ok(rate)
}
