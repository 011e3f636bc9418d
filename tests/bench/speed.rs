//! How fast and how small the proxy is, measured beside nginx as a plain reverse proxy and beside nothing at all.

pub(crate) mod answers;
pub(crate) mod client;
pub(crate) mod clock;
mod closed;
mod cost;
mod fallback;
pub(crate) mod launch;
pub(crate) mod line;
mod modelled;
mod nginx;
pub(crate) mod open;
mod pacer;
pub(crate) mod picture;
mod secured;
pub(crate) mod stage;
pub(crate) mod stamp;
mod start;
mod streams;
mod synth;
mod ttfb;
mod upstream;

use std::time::Duration;

use anyhow::Result;
use xtask::bench::{Arguments, Scenario};

pub(crate) use line::{Limit, Line};
pub(crate) use upstream::{ROLE, run as run_upstream};

use crate::report::Report;

/// Streams at a time, in the two measurements of many.
const STREAMS: [usize; 2] = [1000, 5000];

/// How long it is measured.
#[derive(Clone, Copy, Debug)]
struct Pace {
    rounds: u32,
    /// Each way in each round.
    lasts: Duration,
}

/// Measures a scenario.
pub(crate) async fn measure(scenario: Scenario, arguments: &Arguments) -> Result<Vec<Line>> {
    let pace = |rounds, seconds: u32| Pace {
        rounds: arguments.rounds.unwrap_or(rounds),
        lasts: Duration::from_secs(arguments.seconds.unwrap_or(seconds).into()),
    };
    match scenario {
        Scenario::Small => cost::measure(cost::SMALL, pace(5, 2)).await,
        Scenario::Stream => cost::measure(cost::STREAM, pace(5, 2)).await,
        Scenario::Large => cost::measure(cost::LARGE, pace(5, 2)).await,
        Scenario::Ttfb => ttfb::measure(pace(5, 2)).await,
        Scenario::Streams => {
            let [fewer, more] = STREAMS;
            let mut lines = streams::measure(fewer, Limit::AboveDirect(1.0), pace(3, 3)).await?;
            // More events than this machine makes in a second, so their times say how far behind it is.
            lines.extend(streams::measure(more, Limit::None, pace(1, 3)).await?);
            Ok(lines)
        }
        Scenario::Fallback => fallback::measure(pace(3, 2)).await,
        Scenario::Start => start::measure(pace(2, 1)).await,
        Scenario::Synth => synth::measure(pace(40, 1)),
        Scenario::Sizing | Scenario::Soak | Scenario::Queries | Scenario::Admin | Scenario::Metering => Ok(Vec::new()),
    }
}

/// The table of some lines.
pub(crate) fn report(title: &str, lines: &[Line]) -> Report {
    Report {
        title: title.to_owned(),
        method: "Medians of rounds in which the ways take turns: to the upstream itself (direct), through nginx (one process, \
                 no buffering of answers, connections kept, an access log), through the proxy (release, metering, \
                 authentication, log, PostgreSQL). Load, upstream, nginx, proxy and database share the machine; processor \
                 time and memory are those of the one process."
            .to_owned(),
        head: line::HEAD.to_vec(),
        rows: lines.iter().map(Line::cells).collect(),
        ..Report::default()
    }
}

/// The table and the picture of everything that was measured.
pub(crate) fn summary(lines: &[Line]) -> (Report, String) {
    const TITLE: &str = "Speed and size";
    (report(TITLE, lines), picture::draw(TITLE, lines))
}
