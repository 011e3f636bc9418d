//! One number of developers, and how the task did with it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::body::Bodies;
use super::cgroup::Group;
use super::developer::Asks;
use super::load::{self, Seen, Watch};
use super::schedule;
use super::task::{LIMITS, Served, Task};
use crate::speed::line::told;
use crate::statistics::quantile;

/// Until as many streams are open as always will be.
const SETTLE: Duration = Duration::from_secs(8);
/// Between two looks at memory and open streams.
const LOOK: Duration = Duration::from_millis(250);
/// What p99 of the time of an event may be, in milliseconds. A reader sees no stutter in text below some 100.
pub(super) const EVENT_BOUND: f64 = 50.0;
/// What of its processor the task may take, in hundredths; above it more tasks are started.
pub(super) const PROCESSOR_BOUND: f64 = 70.0;
pub(super) const MIB: f64 = 1024.0 * 1024.0;

/// How it did.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) served: Served,
    pub(super) developers: u32,
    /// Streams that were open, on average.
    pub(super) streams: f64,
    /// Requests and events in a second.
    requests: f64,
    events: f64,
    /// Milliseconds that are added until an answer begins, p50 and p99.
    added: [f64; 2],
    /// p99 of the time of an event, milliseconds.
    pub(super) event: f64,
    /// Hundredths of what it may take of the processor.
    pub(super) processor: f64,
    /// Hundredths of the time in which it was held back.
    throttled: f64,
    /// The most that it had resident, and its cgroup in all, in MiB.
    pub(super) resident: f64,
    pub(super) peak: Option<f64>,
    pub(super) failed: Vec<String>,
}

/// The names of the columns.
pub(super) const HEAD: [&str; 13] = [
    "served by",
    "developers",
    "open streams",
    "requests/s",
    "events/s",
    "first byte +p50 ms",
    "+p99 ms",
    "event p99 ms",
    "processor",
    "held back",
    "resident MiB",
    "failed",
    "holds",
];

/// Measures it with a task that is new, since memory that an earlier one left free would hide what streams take.
#[expect(clippy::cast_precision_loss, reason = "counts of seconds")]
pub(super) async fn run(served: Served, developers: u32, lasts: Duration, bodies: &Arc<Bodies>) -> Result<Step> {
    let task = Task::start(served, Group::create(LIMITS)?).await?;
    let (watch, mut due) = (Watch::default(), schedule::requests(developers, SETTLE, lasts, developers.into()));
    // The newest models on Bedrock count no tokens, which clients are told, and do it themselves.
    due.retain(|due| served != Served::Bedrock || due.asks != Asks::Count);
    let sending = tokio::spawn(load::send(due, task.targets.clone(), Arc::clone(bodies), watch.clone()));
    tokio::time::sleep(SETTLE).await;
    watch.counts(true);
    let (begun, before) = (Instant::now(), task.taken()?);
    let (mut open, mut looks, mut last) = (0, 0_u32, before);
    let mut resident = before.resident;
    let mut ended = None;
    while begun.elapsed() < lasts {
        tokio::time::sleep(LOOK.min(lasts.saturating_sub(begun.elapsed()))).await;
        match task.taken() {
            Ok(taken) => last = taken,
            Err(error) => ended = Some(format!("{error:#}")),
        }
        resident = resident.max(last.resident);
        (open, looks) = (open + watch.open(), looks + 1);
    }
    watch.counts(false);
    let took = begun.elapsed().as_secs_f64();
    sending.await??;
    let peak = task.peak().map(|bytes| bytes as f64 / MIB);
    let stopped = task.stop().await;
    let Seen { added, events, requests, mut failed } = watch.take();
    failed.extend(ended.or(stopped.err().map(|error| format!("{error:#}"))));
    let of_time = |after: Duration, before: Duration| 100.0 * after.saturating_sub(before).as_secs_f64() / took;
    Ok(Step {
        served,
        developers,
        streams: open as f64 / f64::from(looks.max(1)),
        requests: requests as f64 / took,
        events: events.len() as f64 / took,
        added: [0.5, 0.99].map(|part| quantile(&added, part)),
        event: quantile(&events, 0.99),
        processor: of_time(last.processor, before.processor) * 100.0 / f64::from(LIMITS.processor),
        throttled: of_time(last.throttled, before.throttled),
        resident: resident as f64 / MIB,
        peak,
        failed,
    })
}

impl Step {
    /// Whether what it took is in proportion to what it had to do: not where it was at its limit.
    pub(super) fn is_regular(&self) -> bool {
        self.failed.is_empty() && self.processor < 90.0
    }

    /// Whether so many developers are served as they should be.
    pub(super) fn holds(&self) -> bool {
        self.failed.is_empty() && self.event < EVENT_BOUND && self.processor < PROCESSOR_BOUND
    }

    /// Whether it does not hold for a time that its limits do not explain.
    pub(super) fn is_only_late(&self) -> bool {
        self.failed.is_empty() && self.event >= EVENT_BOUND && self.processor < PROCESSOR_BOUND && self.throttled < 1.0
    }

    /// The cells of its row.
    pub(super) fn cells(&self) -> Vec<String> {
        let of_proxy = |text: String| if self.served == Served::Itself { String::new() } else { text };
        vec![
            self.served.name().to_owned(),
            self.developers.to_string(),
            format!("{:.0}", self.streams),
            told(self.requests),
            format!("{:.0}", self.events),
            told(self.added[0]),
            told(self.added[1]),
            told(self.event),
            of_proxy(format!("{:.0} %", self.processor)),
            of_proxy(format!("{:.1} %", self.throttled)),
            of_proxy(format!("{:.0}", self.resident)),
            self.failed.len().to_string(),
            of_proxy(if self.holds() { "yes" } else { "no" }.to_owned()),
        ]
    }
}
