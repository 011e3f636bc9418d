//! Requests from a fixed schedule, whatever becomes of those before them; time counts from when they were due.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::client::{Ask, Connection};
use super::stage::Target;
use crate::process;

/// Sent and not counted.
const WARM_UP: Duration = Duration::from_millis(500);
/// A request that takes longer has failed.
const LONGEST: Duration = Duration::from_secs(30);

/// Connections between two requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Idle(Arc<Mutex<Vec<Connection>>>);

impl Idle {
    /// One of them that asks in this one's name, or a new one.
    pub(crate) async fn take(&self, target: &Target) -> Result<Connection> {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(mut connection) = free else { return Connection::open(target).await };
        connection.turn_to(target);
        Ok(connection)
    }

    /// Keeps it for the next request.
    pub(crate) fn give_back(&self, connection: Connection) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

/// Begins each thing when it is due, counted from now, and gives back what is then under way.
pub(crate) async fn begin<W, F>(
    due: impl Iterator<Item = (Duration, W)> + Send + 'static,
    mut one: impl FnMut(W, Instant) -> F + Send + 'static,
) -> Result<Vec<JoinHandle<F::Output>>>
where
    F: Future<Output: Send> + Send + 'static,
{
    let runtime = Handle::current();
    let pace = move || {
        let begin = Instant::now();
        let running = due.map(|(after, what)| {
            let due = begin + after;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            runtime.spawn(one(what, due))
        });
        running.collect()
    };
    // A thread of its own, because the runtime's clock has steps of a millisecond.
    Ok(tokio::task::spawn_blocking(pace).await?)
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// How long each request waited for the first byte of its answer, in milliseconds.
    pub(crate) first_bytes: Vec<f64>,
    /// Processor time of the target for a request, in microseconds.
    pub(crate) processor: f64,
}

/// Asks so many times a second.
#[expect(clippy::cast_precision_loss, reason = "far fewer requests than that")]
pub(crate) async fn run(target: &Target, ask: &Ask, rate: f64, lasts: Duration) -> Result<Done> {
    let idle = Idle::default();
    let asked = |lasts| {
        let due = (0_u32..).map(move |number| (Duration::from_secs_f64(f64::from(number) / rate), ()));
        let (idle, target, ask) = (idle.clone(), target.clone(), ask.clone());
        begin(due.take_while(move |(after, ())| *after < lasts), move |(), due| {
            tokio::time::timeout(LONGEST, one(target.clone(), ask.clone(), due, idle.clone()))
        })
    };
    let warm_up = asked(WARM_UP).await?;
    let before = process::processor_time(target.process)?;
    let counted = asked(lasts).await?;
    let processor = process::processor_time(target.process)?.saturating_sub(before);
    for asked in warm_up {
        asked.await???;
    }
    let mut first_bytes = Vec::with_capacity(counted.len());
    for asked in counted {
        first_bytes.push(asked.await???);
    }
    Ok(Done { processor: processor.as_secs_f64() * 1e6 / first_bytes.len().max(1) as f64, first_bytes })
}

async fn one(target: Target, ask: Ask, due: Instant, idle: Idle) -> Result<f64> {
    let mut connection = idle.take(&target).await?;
    let first = connection.ask(&ask, |_| {}).await?;
    idle.give_back(connection);
    Ok(first.saturating_duration_since(due).as_secs_f64() * 1e3)
}
