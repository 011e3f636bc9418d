//! Connections that ask again as soon as they are answered: as much as a target can do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use super::client::{Ask, Connection};
use super::stage::Target;

/// Asked before anything is counted: connections are opened, keys are read, buffers have their size.
const WARM_UP: Duration = Duration::from_millis(500);

/// Asks over this many connections at a time, and says how many requests were answered in a second.
#[expect(clippy::cast_precision_loss, reason = "far fewer requests than that")]
pub(crate) async fn run(target: &Target, ask: &Ask, connections: usize, lasts: Duration) -> Result<f64> {
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
    tokio::time::sleep(WARM_UP).await;
    let (begun, before) = (Instant::now(), answered.load(Ordering::Relaxed));
    tokio::time::sleep(end.saturating_duration_since(Instant::now())).await;
    let (took, requests) = (begun.elapsed(), answered.load(Ordering::Relaxed) - before);
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(requests as f64 / took.as_secs_f64())
}
