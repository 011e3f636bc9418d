//! Requests from a fixed schedule, whatever becomes of those before them; time counts from when they were due.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::runtime::Handle;

use super::client::{Ask, Connection};
use super::stage::Target;

/// Sent and not counted.
const WARM_UP: Duration = Duration::from_millis(500);
/// A request that takes longer has failed.
const LONGEST: Duration = Duration::from_secs(30);

/// How long each request waited for the first byte of its answer, in milliseconds.
pub(crate) async fn first_bytes(target: &Target, ask: &Ask, rate: f64, lasts: Duration) -> Result<Vec<f64>> {
    let idle: Arc<Mutex<Vec<Connection>>> = Arc::default();
    let runtime = Handle::current();
    let (target, ask) = (target.clone(), ask.clone());
    let pace = move || {
        let begin = Instant::now();
        let due = (0_u32..).map(|number| begin + Duration::from_secs_f64(f64::from(number) / rate));
        let asked = due.take_while(|due| *due < begin + WARM_UP + lasts).map(|due| {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let (target, ask, idle) = (target.clone(), ask.clone(), Arc::clone(&idle));
            (due >= begin + WARM_UP, runtime.spawn(tokio::time::timeout(LONGEST, one(target, ask, due, idle))))
        });
        asked.collect::<Vec<_>>()
    };
    let mut took = Vec::new();
    // A thread of its own, because the runtime's clock has steps of a millisecond.
    for (counts, asked) in tokio::task::spawn_blocking(pace).await? {
        let time = asked.await???;
        if counts {
            took.push(time);
        }
    }
    Ok(took)
}

async fn one(target: Target, ask: Ask, due: Instant, idle: Arc<Mutex<Vec<Connection>>>) -> Result<f64> {
    let free = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut connection = match free {
        Some(connection) => connection,
        None => Connection::open(&target).await?,
    };
    let first = connection.ask(&ask, |_| {}).await?;
    idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    Ok(first.saturating_duration_since(due).as_secs_f64() * 1e3)
}
