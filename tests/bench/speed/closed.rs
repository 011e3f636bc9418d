//! Connections that ask again as soon as they are answered: as much as a target can do, for what a request costs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use super::client::{Ask, Connection};
use super::process;
use super::stage::Target;

/// Asked before anything is counted: connections are opened, keys are read, buffers have their size.
const WARM_UP: Duration = Duration::from_millis(500);

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    /// Processor time of the target for a request, in microseconds.
    pub(crate) processor: f64,
    /// Requests in a second.
    pub(crate) rate: f64,
}

/// Asks over this many connections at a time.
#[expect(clippy::cast_precision_loss, reason = "far fewer requests than that")]
pub(crate) async fn run(target: &Target, ask: &Ask, connections: usize, lasts: Duration) -> Result<Done> {
    let answered = Arc::new(AtomicU64::new(0));
    let mut running = JoinSet::new();
    let end = Instant::now() + WARM_UP + lasts;
    for _ in 0..connections {
        let (mut connection, ask, answered) = (Connection::open(target).await?, ask.clone(), Arc::clone(&answered));
        running.spawn(async move {
            while Instant::now() < end {
                connection.ask(&ask, |_| {}).await?;
                answered.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    let state = || anyhow::Ok((process::processor_time(target.process)?, answered.load(Ordering::Relaxed)));
    tokio::time::sleep(WARM_UP).await;
    let (begun, (time, count)) = (Instant::now(), state()?);
    tokio::time::sleep(end.saturating_duration_since(Instant::now())).await;
    let (took, (time_after, count_after)) = (begun.elapsed(), state()?);
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    let requests = (count_after - count).max(1) as f64;
    Ok(Done {
        processor: time_after.saturating_sub(time).as_secs_f64() * 1e6 / requests,
        rate: requests / took.as_secs_f64(),
    })
}
