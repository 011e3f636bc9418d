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
use crate::statistics::{median, range};
use load::Load;
use variant::{Recorded, Round, Variant, WAITING};

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    /// The plan; whether its usage is recorded is a setting.
    Plan,
    /// Bedrock, whose usage is always recorded.
    Bedrock,
}

/// A number of a round, how it is called, and how it is read.
struct Figure {
    name: &'static str,
    unit: &'static str,
    of: fn(&Round) -> f64,
}

const FIGURES: [Figure; 4] = [
    Figure { name: "p50", unit: "ms", of: |round| round.p50_ms },
    Figure { name: "p99", unit: "ms", of: |round| round.p99_ms },
    Figure { name: "first byte p50", unit: "ms", of: |round| round.first_byte_p50_ms },
    Figure { name: "processor time a request", unit: "ms", of: |round| round.processor_ms },
];

/// Measures both providers in turns. `folder` is on a disk that may hold a usage journal.
pub(crate) async fn measure(arguments: &Arguments, folder: &Path) -> Result<Report> {
    let load = Load { rate: arguments.rate, lasts: Duration::from_secs(arguments.seconds.into()) };
    let without = Variant::start(Recorded::No, folder).await?;
    let with = Variant::start(Recorded::Yes, folder).await?;
    let mut report = describe(arguments);
    let mut measured = Vec::new();
    for provider in [Provider::Plan, Provider::Bedrock] {
        measured.push((provider, Vec::new(), Vec::new()));
    }
    for number in 0..arguments.rounds {
        step(format_args!("round {} of {}", number + 1, arguments.rounds));
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
    for (provider, off, on) in &measured {
        report.rows.extend(FIGURES.iter().map(|figure| row(*provider, figure, off, on)));
    }
    Ok(report)
}

fn describe(arguments: &Arguments) -> Report {
    let Arguments { rounds, seconds, rate, .. } = arguments;
    Report {
        title: "What recording usage costs a request".to_owned(),
        method: vec![
            format!("{rounds} rounds of {seconds} s for each variant, in turns; {rate} streamed requests a second with a body of"),
            format!("{} KiB and an answer of {} events, from a fixed schedule. Time counts from the moment at which a", load::BODY >> 10, load::DELTAS),
            "request should have begun to the last byte of its answer, so that one that is held up by others is not".to_owned(),
            "excused. Recorded: the usage journal and the database, all rows of a round there at its end. Not recorded:".to_owned(),
            format!("the plan with `METER_PLAN=false`; Bedrock without a journal, and with the table locked, so that its records {WAITING}."),
            "Numbers are medians of the rounds, with the lowest and the highest of them; the spread is between those two for".to_owned(),
            "what is not recorded. Proxy, upstreams, load and PostgreSQL are on the same machine.".to_owned(),
        ],
        head: vec!["requests to", "", "not recorded", "recorded", "difference", "spread", "within the spread"],
        ..Report::default()
    }
}

fn row(provider: Provider, figure: &Figure, off: &[Round], on: &[Round]) -> Vec<String> {
    let [off, on] = [off, on].map(|rounds| rounds.iter().map(figure.of).collect::<Vec<f64>>());
    let told = |values: &[f64]| {
        let (low, high) = range(values);
        format!("{:.2} {} ({low:.2} to {high:.2})", median(values), figure.unit)
    };
    let ((low, high), difference) = (range(&off), median(&on) - median(&off));
    let within = if difference.abs() <= high - low { "yes" } else { "no" };
    vec![
        provider.to_string(),
        figure.name.to_owned(),
        told(&off),
        told(&on),
        format!("{difference:+.2} {}", figure.unit),
        format!("{:.2} {}", high - low, figure.unit),
        within.to_owned(),
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
