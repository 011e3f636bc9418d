//! What it costs a request that its usage is recorded: the same requests, recorded and not, in turns.

mod load;
mod variant;

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use xtask::bench::Arguments;
use xtask::progress::step;

use crate::report::Report;
use crate::speed::{Limit, Line};
use crate::statistics::{median, range};
use load::Load;
use variant::{Recorded, Round, Variant};

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    /// The plan; whether its usage is recorded is a setting.
    Plan,
    /// Bedrock, whose usage is always recorded.
    Bedrock,
}

/// A number of a round, in milliseconds.
struct Figure {
    name: &'static str,
    of: fn(&Round) -> f64,
}

const FIGURES: [Figure; 4] = [
    Figure { name: "p50", of: |round| round.p50 },
    Figure { name: "p99", of: |round| round.p99 },
    Figure { name: "first byte p50", of: |round| round.first_byte_p50 },
    Figure { name: "processor time a request", of: |round| round.processor },
];

/// Measures both providers in turns. `folder` is on a disk that may hold a usage journal.
pub(crate) async fn measure(arguments: &Arguments, folder: &Path) -> Result<(Report, Vec<Line>)> {
    let (rounds, seconds) = pace(arguments);
    let load = Load { rate: arguments.rate, lasts: Duration::from_secs(seconds.into()) };
    let without = Variant::start(Recorded::No, folder).await?;
    let with = Variant::start(Recorded::Yes, folder).await?;
    let mut report = describe(arguments);
    let mut measured = Vec::new();
    for provider in [Provider::Plan, Provider::Bedrock] {
        measured.push((provider, Vec::new(), Vec::new()));
    }
    for number in 0..rounds {
        step(format_args!("round {} of {}", number + 1, rounds));
        for (provider, off, on) in &mut measured {
            // Whatever the first one gains by its place, each has it in turn.
            if number % 2 == 0 {
                off.push(without.round(*provider, load).await?);
                on.push(with.round(*provider, load).await?);
            } else {
                on.push(with.round(*provider, load).await?);
                off.push(without.round(*provider, load).await?);
            }
        }
    }
    without.stop().await?;
    with.stop().await?;
    let mut lines = Vec::new();
    for (provider, off, on) in &measured {
        lines.extend(FIGURES.iter().map(|figure| added(*provider, figure, off, on)));
        report.rows.extend(FIGURES.iter().map(|figure| row(*provider, figure, off, on)));
    }
    Ok((report, lines))
}

/// Rounds, and the seconds of each variant in each.
fn pace(arguments: &Arguments) -> (u32, u32) {
    (arguments.rounds.unwrap_or(7), arguments.seconds.unwrap_or(10))
}

fn describe(arguments: &Arguments) -> Report {
    let ((rounds, seconds), rate) = (pace(arguments), arguments.rate);
    Report {
        title: "What recording usage costs a request".to_owned(),
        method: format!(
            "{rounds} rounds of {seconds} s for each variant, in turns: {rate} streamed requests a second with a body of {} KiB \
             and an answer of {} events, from a fixed schedule. Time, in milliseconds, counts from the moment at which a request \
             should have begun to the last byte of its answer, so that one that is held up by others is not excused. Recorded: \
             with the usage journal and the database, where all rows of a round are before the next one. Not recorded: the plan \
             with `METER_PLAN=false`; Bedrock without a journal and with the table locked, so that records wait in memory until \
             the round is over. Numbers are medians of the rounds, with the lowest and the highest of them; the spread is between \
             those two, of what is not recorded. Measurable is a difference that is larger than the spread, and one that goes \
             the same way in every round. Proxy, upstreams, load and PostgreSQL share the machine.",
            load::BODY >> 10,
            load::EVENTS
        ),
        head: vec!["requests to", "", "not recorded", "recorded", "difference", "spread", "measurable", "took more in"],
        ..Report::default()
    }
}

/// The difference, round by round, for a summary.
fn added(provider: Provider, figure: &Figure, off: &[Round], on: &[Round]) -> Line {
    let differences: Vec<f64> = off.iter().zip(on).map(|(off, on)| (figure.of)(on) - (figure.of)(off)).collect();
    let what = format!("usage recorded, {provider}: {} added", figure.name);
    Line::of(what, "ms", [&[], &[], &differences], Limit::None)
}

fn row(provider: Provider, figure: &Figure, off: &[Round], on: &[Round]) -> Vec<String> {
    let [off, on] = [off, on].map(|rounds| rounds.iter().map(figure.of).collect::<Vec<f64>>());
    let told = |values: &[f64]| {
        let (low, high) = range(values);
        format!("{:.2} ({low:.2} to {high:.2})", median(values))
    };
    let ((low, high), difference) = (range(&off), median(&on) - median(&off));
    let more = off.iter().zip(&on).filter(|(off, on)| on > off).count();
    vec![
        provider.to_string(),
        figure.name.to_owned(),
        told(&off),
        told(&on),
        format!("{difference:+.2}"),
        format!("{:.2}", high - low),
        if difference > high - low || more == off.len() { "yes" } else { "no" }.to_owned(),
        format!("{more} of {}", off.len()),
    ]
}

impl Display for Provider {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Plan => "the plan",
            Self::Bedrock => "Bedrock",
        })
    }
}
