//! Requests from a fixed schedule, whatever becomes of those before them; time counts from when they were due.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::runtime::Handle;

use super::client::{Ask, Connection};
use super::process;
use super::stage::Target;

/// Sent and not counted.
const WARM_UP: Duration = Duration::from_millis(500);
/// A request that takes longer has failed.
const LONGEST: Duration = Duration::from_secs(30);

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
    let idle: Arc<Mutex<Vec<Connection>>> = Arc::default();
    let runtime = Handle::current();
    let process = target.process;
    let (target, ask) = (target.clone(), ask.clone());
    let pace = move || {
        let begin = Instant::now();
        let due = (0_u32..).map(|number| begin + Duration::from_secs_f64(f64::from(number) / rate));
        let ask_in_time = |due: Instant| {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let (target, ask, idle) = (target.clone(), ask.clone(), Arc::clone(&idle));
            runtime.spawn(tokio::time::timeout(LONGEST, one(target, ask, due, idle)))
        };
        let mut due = due.take_while(|due| *due < begin + WARM_UP + lasts).peekable();
        let mut asked = Vec::new();
        while let Some(due) = due.next_if(|due| *due < begin + WARM_UP) {
            asked.push(ask_in_time(due));
        }
        let before = process::processor_time(process)?;
        let counted = due.map(ask_in_time).collect::<Vec<_>>();
        anyhow::Ok((asked, counted, process::processor_time(process)?.saturating_sub(before)))
    };
    // A thread of its own, because the runtime's clock has steps of a millisecond.
    let (warm_up, counted, processor) = tokio::task::spawn_blocking(pace).await??;
    for asked in warm_up {
        asked.await???;
    }
    let mut first_bytes = Vec::with_capacity(counted.len());
    for asked in counted {
        first_bytes.push(asked.await???);
    }
    Ok(Done { processor: processor.as_secs_f64() * 1e6 / first_bytes.len().max(1) as f64, first_bytes })
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
