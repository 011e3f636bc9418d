//! How fast and how small the proxy is, measured beside nginx as a plain reverse proxy and beside nothing at all.

mod answers;
mod client;
mod clock;
mod closed;
mod cost;
mod fallback;
mod line;
mod nginx;
mod open;
mod pacer;
mod picture;
mod stage;
mod stamp;
mod start;
mod streams;
mod ttfb;
mod upstream;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use xtask::bench::{Arguments, Scenario};

use line::Limit;
pub(crate) use line::Line;
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
        Scenario::Queries | Scenario::Admin | Scenario::Metering | Scenario::Soak => Ok(Vec::new()),
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

/// Writes the table and the picture of everything that was measured, and into the checkout when that is asked for.
pub(crate) fn publish(lines: &[Line], machine: &str, folder: &Path, arguments: &Arguments) -> Result<()> {
    const TITLE: &str = "Speed and size";
    let (table, picture) = (report(TITLE, lines).to_markdown(machine), picture::draw(TITLE, lines));
    crate::publish::publish(&[("speed.md", &table), ("speed.svg", &picture)], folder, arguments)
}
