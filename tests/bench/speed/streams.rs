//! Many streams at a time, as models speak: twenty events a second in each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use xtask::progress::step;

use super::answers::Wish;
use super::client::{Ask, Connection};
use super::line::{Limit, Line};
use super::stage::{Stage, Target, Way};
use super::stamp::MADE;
use super::{Pace, clock};
use crate::process;
use crate::statistics::quantile;

/// Bytes of a prompt, which a relay may hold for as long as it takes it for useful.
const BODY: usize = 100_000;
/// Streams that are being opened at a time.
const OPENING: usize = 32;
/// All streams have begun by then.
const OPEN_WITHIN: Duration = Duration::from_mins(1);
/// Between the last stream's begin and the first event that counts.
const SETTLE: Duration = Duration::from_secs(1);
/// After that long what was only needed for their beginning is given back: allocators keep it for ten seconds.
const CALM: Duration = Duration::from_secs(12);
const MIB: f64 = 1024.0 * 1024.0;

/// What came of one way.
#[derive(Clone, Copy, Debug)]
struct Seen {
    p50: f64,
    p99: f64,
    /// Microseconds of the processor for an event.
    processor: f64,
    /// Bytes that the streams have added.
    memory: u64,
    /// Bytes of all.
    resident: u64,
    /// Events in a second.
    rate: f64,
}

/// `added` is the target for the time that an event takes.
pub(super) async fn measure(streams: usize, added: Limit, pace: Pace) -> Result<Vec<Line>> {
    support::process::allow_descriptors(2 * streams as u64 + 1000);
    let mut seen: [Vec<Seen>; 3] = [const { Vec::new() }; 3];
    for round in 0..pace.rounds {
        // Processes that are new each time: memory that an earlier one has left free would hide what streams take.
        let stage = Stage::start().await?;
        for (turn, _) in Way::ALL.iter().enumerate() {
            let way = (turn + round as usize) % Way::ALL.len();
            let one = run(&stage.target(Way::ALL[way])?, streams, pace.lasts).await?;
            step(format_args!("{streams} streams, {:?}: {one:?}", Way::ALL[way]));
            seen[way].push(one);
        }
        stage.stop().await?;
    }
    let line = |what: &str, unit, of: fn(&Seen) -> f64, ways: [bool; 3], limit| {
        let values = [0, 1, 2].map(|way| if ways[way] { seen[way].iter().map(of).collect() } else { Vec::new() });
        Line::of(format!("{streams} streams: {what}"), unit, [&values[0], &values[1], &values[2]], limit)
    };
    let (all, relays) = ([true; 3], [false, true, true]);
    #[expect(clippy::cast_precision_loss, reason = "far fewer than that")]
    let each = |bytes: u64| bytes as f64;
    let kilobytes =
        [1, 2].map(|way| seen[way].iter().map(|one| each(one.memory) / 1024.0 / each(streams as u64)).collect());
    let [nginx, proxy]: [Vec<f64>; 2] = kilobytes;
    Ok(vec![
        line("an event, p50", "ms", |seen| seen.p50, all, Limit::None),
        line("an event, p99", "ms", |seen| seen.p99, all, added),
        line("processor", "µs/event", |seen| seen.processor, relays, Limit::None),
        line("events", "1/s", |seen| seen.rate, all, Limit::None),
        Line::of(format!("{streams} streams: memory of each"), "KiB", [&[], &nginx, &proxy], Limit::AtMost(40.0)),
        line(
            "memory of all",
            "MiB",
            |seen| {
                #[expect(clippy::cast_precision_loss, reason = "memory is smaller than that")]
                let bytes = seen.resident as f64;
                bytes / MIB
            },
            relays,
            Limit::AtMost(512.0),
        ),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than that")]
async fn run(target: &Target, streams: usize, lasts: Duration) -> Result<Seen> {
    // One whole request, so that what every process needs once is there.
    Connection::open(target).await?.ask(&Ask::new(Wish::Json, BODY), |_| {}).await?;
    let before = process::resident(target.process)?;
    let ask = Ask::new(Wish::Paced, BODY);
    let (begun, counts) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let opening = Arc::new(Semaphore::new(OPENING));
    let (told, mut times) = tokio::sync::mpsc::unbounded_channel();
    let mut running = JoinSet::new();
    for _ in 0..streams {
        let (target, ask) = (target.clone(), ask.clone());
        let (begun, counts, opening, told) = (begun.clone(), counts.clone(), opening.clone(), told.clone());
        running.spawn(async move {
            let mut place = Some(opening.acquire_owned().await?);
            let mut connection = Connection::open(&target).await?;
            let mut seen = Vec::new();
            connection
                .ask(&ask, |piece| {
                    if place.take().is_some() {
                        begun.fetch_add(1, Ordering::Relaxed);
                    }
                    if counts.load(Ordering::Relaxed) {
                        let now = clock::now();
                        seen.extend(MADE.read(piece).map(|made| now.saturating_sub(made) as f64 / 1e6));
                    } else if !seen.is_empty() {
                        let _ = told.send(std::mem::take(&mut seen));
                    }
                })
                .await
        });
    }
    let started = Instant::now();
    while begun.load(Ordering::Relaxed) < streams as u64 {
        ensure!(started.elapsed() < OPEN_WITHIN, "only {} streams have begun", begun.load(Ordering::Relaxed));
        if let Some(ended) = running.try_join_next() {
            ended??;
            anyhow::bail!("a stream ended early");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(SETTLE).await;
    counts.store(true, Ordering::Relaxed);
    let (from, time) = (Instant::now(), process::processor_time(target.process)?);
    tokio::time::sleep(lasts).await;
    counts.store(false, Ordering::Relaxed);
    let (took, time) = (from.elapsed(), process::processor_time(target.process)?.saturating_sub(time));
    tokio::time::sleep(CALM).await;
    let resident = process::resident(target.process)?;
    // Every stream hands over its times with its next event.
    tokio::time::sleep(SETTLE).await;
    running.shutdown().await;
    let mut all = Vec::new();
    times.close();
    while let Some(some) = times.recv().await {
        all.extend(some);
    }
    ensure!(!all.is_empty(), "no event came");
    Ok(Seen {
        p50: quantile(&all, 0.5),
        p99: quantile(&all, 0.99),
        processor: time.as_secs_f64() * 1e6 / all.len() as f64,
        memory: resident.saturating_sub(before),
        resident,
        rate: all.len() as f64 / took.as_secs_f64(),
    })
}
