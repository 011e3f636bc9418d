//! What a request costs of the processor, compared with nginx.

use std::time::Duration;

use anyhow::Result;
use xtask::progress::step;

use super::answers::{EVENTS, Wish};
use super::client::Ask;
use super::line::{Limit, Line};
use super::stage::{Stage, Way};
use super::{Pace, closed};

/// Connections at a time.
const CONNECTIONS: usize = 16;

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

pub(super) async fn measure(cost: Cost, pace: Pace) -> Result<Vec<Line>> {
    debug_assert!(cost.wish != Wish::Events || EVENTS == 200);
    let stage = Stage::start().await?;
    let ask = Ask::new(cost.wish, cost.body);
    let mut times = [Vec::new(), Vec::new()];
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..pace.rounds {
        let mut order = [0, 1];
        // Whatever the first one gains by its place, each has it in turn.
        order.rotate_left((round % 2) as usize);
        for way in order {
            let done = closed::run(&stage.target(Way::RELAYS[way])?, &ask, CONNECTIONS, pace.lasts).await?;
            times[way].push(done.processor);
            rates[way].push(done.rate);
        }
        let last =
            |values: &[Vec<f64>; 2]| [&values[0], &values[1]].map(|values| values.last().copied().unwrap_or_default());
        let ([nginx, proxy], [nginx_rate, proxy_rate]) = (last(&times), last(&rates));
        step(format_args!(
            "round {} of {}: nginx {nginx:.0} µs at {nginx_rate:.0}/s, proxy {proxy:.0} µs at {proxy_rate:.0}/s",
            round + 1,
            pace.rounds
        ));
    }
    stage.stop().await?;
    Ok(vec![
        Line::of(
            format!("{}: processor", cost.what),
            "µs/request",
            [&[], &times[0], &times[1]],
            Limit::TimesNginx(cost.target),
        ),
        Line::of(format!("{}: rate", cost.what), "requests/s", [&[], &rates[0], &rates[1]], Limit::None),
    ])
}

/// How many requests in a second the proxy can serve at the most, everything on this machine.
pub(super) async fn saturation(stage: &Stage, ask: &Ask) -> Result<f64> {
    Ok(closed::run(&stage.target(Way::Proxy)?, ask, CONNECTIONS, Duration::from_secs(2)).await?.rate)
}
