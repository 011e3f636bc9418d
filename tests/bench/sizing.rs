//! How many developers one task of half a processor and 1 GiB serves.

mod body;
mod cgroup;
mod developer;
mod line;
mod load;
mod picture;
mod schedule;
mod search;
mod step;
mod task;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use xtask::bench::Arguments;
use xtask::progress::{loud, step};

use crate::report::Report;
use crate::speed;
use body::Bodies;
use cgroup::Group;
use line::Line;
use search::Search;
use step::{EVENT_BOUND, MIB, PROCESSOR_BOUND, Step};
use task::{LIMITS, Served};

/// The first and the highest number of developers.
const DEVELOPERS: [u32; 2] = [200, 3200];
/// What of the memory may be in use; above it more tasks are started.
const MEMORY_BOUND: f64 = 0.8;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Sizing {
    /// Every step, and the rule.
    pub(crate) report: Report,
    /// The steps as a picture.
    pub(crate) picture: String,
    /// What a summary says of it.
    pub(crate) lines: Vec<speed::Line>,
}

/// Measures it; nothing where a process cannot be limited.
pub(crate) async fn measure(arguments: &Arguments) -> Result<Option<Sizing>> {
    if let Err(error) = Group::create(LIMITS) {
        loud(format_args!(
            "sizing is left out: no cgroup with limits can be made ({error:#}). Run it as root, in a container with \
             --privileged, or where systemd delegates cgroups to you"
        ));
        return Ok(None);
    }
    support::process::allow_descriptors(3 * u64::from(DEVELOPERS[1]) + 1000);
    let lasts = Duration::from_secs(arguments.seconds.unwrap_or(10).into());
    let bodies = Arc::new(Bodies::new());
    let mut steps = Vec::new();
    for served in [Served::Plan, Served::Bedrock] {
        let [first, most] = DEVELOPERS;
        let mut search = Search::new(first, most);
        while let Some(developers) = search.next() {
            let mut done = one(served, developers, lasts, &bodies).await?;
            if done.is_only_late() {
                step("late, but not for want of its processor: once more, since others use the machine, too");
                done = one(served, developers, lasts, &bodies).await?;
            }
            search.note(developers, done.holds());
            steps.push(done);
        }
    }
    if let Some(most) = capacity(&steps, Served::Plan) {
        steps.push(one(Served::Itself, most.developers, lasts, &bodies).await?);
    }
    steps.sort_by_key(|step| (step.served as u8, step.developers));
    let lines = [Served::Plan, Served::Bedrock].into_iter().filter_map(|served| {
        let most = f64::from(capacity(&steps, served)?.developers);
        let what = format!("developers on a task of 0.5 vCPU, {}", served.name());
        Some(speed::Line::of(what, "developers", [&[], &[], &[most]], speed::Limit::None))
    });
    let lines = lines.collect();
    Ok(Some(Sizing { report: report(&steps, lasts), picture: picture::draw(&steps), lines }))
}

async fn one(served: Served, developers: u32, lasts: Duration, bodies: &Arc<Bodies>) -> Result<Step> {
    let done = step::run(served, developers, lasts, bodies).await?;
    step(format_args!(
        "{developers} developers, {}: event p99 {:.1} ms, processor {:.0} %, {:.0} MiB, {} failed",
        served.name(),
        done.event,
        done.processor,
        done.resident,
        done.failed.len()
    ));
    Ok(done)
}

/// The step with the most developers that still holds.
fn capacity(steps: &[Step], served: Served) -> Option<&Step> {
    steps.iter().filter(|step| step.served == served && step.holds()).max_by_key(|step| step.developers)
}

fn report(steps: &[Step], lasts: Duration) -> Report {
    let notes = [Served::Plan, Served::Bedrock].into_iter().flat_map(|served| rule(steps, served));
    let failed = steps.iter().filter_map(|step| {
        let first = step.failed.first()?;
        Some(format!(
            "{}, {} developers: {} failed, first: {first}",
            step.served.name(),
            step.developers,
            step.failed.len()
        ))
    });
    Report {
        title: "How many developers one task serves".to_owned(),
        method: format!(
            "One task of {:.1} vCPU and {:.0} MiB, held to that by a cgroup: one thread, TLS to the upstream, metering of the plan \
             too, authentication, log and journal; PostgreSQL, upstream and load beside it on the machine. Each step has a task of \
             its own, and {} s that count. A developer sends {:.1} requests a minute by a schedule of dice that does not wait \
             for answers, and has {:.2} streams open on average; each has 20 events a second for 5 to 20 s, 1.5 s after the request. \
             First byte: added to what the upstream takes. Processor: of what the task may take. Held back: part of the time in \
             which the kernel stopped it because it had taken that. A step holds when nothing failed, p99 of an event is \
             below {EVENT_BOUND:.0} ms and the processor below {PROCESSOR_BOUND:.0} %; one that is late alone, and was not held back, is \
             measured a second time.",
            f64::from(LIMITS.processor) / 100.0,
            memory(),
            lasts.as_secs(),
            developer::requests_a_minute(),
            developer::open_streams(),
        ),
        head: step::HEAD.to_vec(),
        rows: steps.iter().map(Step::cells).collect(),
        notes: notes.chain(failed).collect(),
        ..Report::default()
    }
}

/// What a task is good for, in words.
fn rule(steps: &[Step], served: Served) -> Vec<String> {
    let name = served.name();
    let Some(most) = capacity(steps, served) else {
        return vec![format!("Served by {name}: not even the fewest developers that were tried.")];
    };
    let regular: Vec<&Step> = steps.iter().filter(|step| step.served == served && step.is_regular()).collect();
    let line = |of: fn(&Step) -> (f64, f64)| Line::through(&regular.iter().map(|step| of(step)).collect::<Vec<_>>());
    let mut notes = vec![format!(
        "Served by {name}: **{} developers** for a task, with {:.0} streams open at a time.",
        most.developers, most.streams
    )];
    if let Some(processor) = line(|step| (step.developers.into(), step.processor)) {
        notes.push(format!(
            "Processor, served by {name}: {:.1} % and {:.2} ms in each second for a developer.",
            processor.base,
            processor.each * f64::from(LIMITS.processor) / 10.0
        ));
    }
    if let Some(resident) = line(|step| (step.streams, step.resident)) {
        let room = resident.reaches(MEMORY_BOUND * memory()).map(|streams| streams / developer::open_streams());
        notes.push(format!(
            "Memory, served by {name}: {:.0} MiB and {:.0} KiB for each open stream; {:.0} % of {:.0} MiB would do for {}.",
            resident.base,
            resident.each * 1024.0,
            MEMORY_BOUND * 100.0,
            memory(),
            room.map_or_else(|| "any number".to_owned(), |developers| format!("{developers:.0} developers"))
        ));
    }
    if let Some(peak) = most.peak {
        notes.push(format!("The cgroup, served by {name}, had {peak:.0} MiB at the most, files among them."));
    }
    notes
}

#[expect(clippy::cast_precision_loss, reason = "a whole number of MiB")]
fn memory() -> f64 {
    LIMITS.memory as f64 / MIB
}
