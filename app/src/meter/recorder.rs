//! Takes usage records from requests without making them wait, and brings them to the database in batches.

use std::time::Duration;

use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Prices;
use crate::domain::UsageRecord;
use crate::store::{Database, StoreError};
use crate::telemetry;

/// Records that wait in memory at the most; at about 500 bytes each.
const QUEUE: usize = 20_000;
/// Rows of one statement.
const BATCH: usize = 500;
/// How long a record waits for others.
const GATHER: Duration = Duration::from_millis(100);
/// Waits between tries while the database is away.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Longer than any statement may take.
const FAR: Duration = Duration::from_mins(10);
/// How long shutdown goes on trying to bring the last records home.
const LAST_TRIES: Duration = Duration::from_secs(10);

/// The way in, cheap to clone. Every record is also a complete `usage` line in the log, which is the second source of
/// truth for whatever does not reach the database.
#[derive(Clone, Debug)]
pub struct Recorder {
    queue: mpsc::Sender<UsageRecord>,
    prices: Prices,
}

/// The task behind it; joined at shutdown.
#[derive(Debug)]
pub struct RecorderTask {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Recorder {
    /// Starts the task that writes.
    pub fn start(database: Database, prices: Prices) -> (Self, RecorderTask) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let stop = CancellationToken::new();
        let task = tokio::spawn(write_batches(receiver, database, stop.clone()));
        (Self { queue: sender, prices }, RecorderTask { stop, task })
    }

    /// Prices a record, logs it and hands it to the task; never waits.
    pub fn record(&self, mut record: UsageRecord) {
        record.cost = Some(self.prices.cost(&record));
        log_line(&record, "usage");
        if let Err(error) = self.queue.try_send(record) {
            let (TrySendError::Full(record) | TrySendError::Closed(record)) = error;
            tracing::error!(request_id = %record.request_id, "no room for a usage record: it is in the log only");
        }
    }

    /// Records that wait for the database.
    pub fn queued(&self) -> usize {
        QUEUE - self.queue.capacity()
    }
}

impl RecorderTask {
    /// Takes no more records, brings home what is queued, and ends.
    pub async fn drain(self) {
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::error!("the task that writes usage failed; the log has its records");
        }
    }
}

async fn write_batches(mut queue: mpsc::Receiver<UsageRecord>, database: Database, stop: CancellationToken) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut ending = Ending { stop, give_up_at: None };
    while gather(&mut queue, &mut batch, &ending.stop).await {
        store(&database, &mut batch, &mut ending).await;
    }
}

/// The end that is near once `stop` is set: one deadline for everything that is still queued.
struct Ending {
    stop: CancellationToken,
    give_up_at: Option<Instant>,
}

impl Ending {
    fn deadline(&mut self) -> Option<Instant> {
        self.stop.is_cancelled().then(|| *self.give_up_at.get_or_insert_with(|| Instant::now() + LAST_TRIES))
    }
}

/// Fills the batch: waits for a first record, then a moment for more. False when there will be none.
async fn gather(
    queue: &mut mpsc::Receiver<UsageRecord>,
    batch: &mut Vec<UsageRecord>,
    stop: &CancellationToken,
) -> bool {
    tokio::select! {
        biased;
        () = stop.cancelled() => queue.close(),
        _ = queue.recv_many(batch, 1) => {}
    }
    let deadline = Instant::now() + GATHER;
    while batch.len() < BATCH {
        let room = BATCH - batch.len();
        match tokio::time::timeout_at(deadline, queue.recv_many(batch, room)).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    !batch.is_empty()
}

/// Tries until the database has the batch. At shutdown time is short: what cannot be stored by then stays in the log.
async fn store(database: &Database, batch: &mut Vec<UsageRecord>, ending: &mut Ending) {
    let mut pause = FIRST_PAUSE;
    while !batch.is_empty() {
        let deadline = ending.deadline();
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return give_up(batch);
        }
        let far = Instant::now() + FAR;
        match tokio::time::timeout_at(deadline.unwrap_or(far), database.store_usage(batch)).await {
            Ok(Ok(stored)) => {
                tracing::debug!(stored, "usage stored");
                return batch.clear();
            }
            Ok(Err(error)) if is_about_the_rows(&error) => {
                tracing::error!(%error, "the database refuses a usage record; storing them one by one");
                store_one_by_one(database, batch).await;
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, records = batch.len(), "usage cannot be stored for the moment");
                // The signal to stop ends a pause, so that a long one does not eat into the last tries.
                if deadline.is_some() {
                    tokio::time::sleep(FIRST_PAUSE).await;
                } else {
                    let _ = tokio::time::timeout(pause, ending.stop.cancelled()).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            Err(_) => return give_up(batch),
        }
    }
}

/// The database refuses something in the batch: it shall not hold up the rest. Stops where the database goes away;
/// what is left in the batch is tried again.
async fn store_one_by_one(database: &Database, batch: &mut Vec<UsageRecord>) {
    while let Some(record) = batch.last() {
        match database.store_usage(std::slice::from_ref(record)).await {
            Ok(_) => {}
            Err(error) if is_about_the_rows(&error) => {
                tracing::error!(%error, request_id = %record.request_id, "this usage record cannot be stored");
                log_line(record, "usage_lost");
            }
            Err(_) => return,
        }
        batch.pop();
    }
}

fn give_up(batch: &mut Vec<UsageRecord>) {
    tracing::error!(records = batch.len(), "the database is away at shutdown: these usage records are in the log only");
    for record in batch.drain(..) {
        log_line(&record, "usage_lost");
    }
}

/// Classes 22 (data) and 23 (constraints) of SQLSTATE: trying again would fail again.
fn is_about_the_rows(error: &StoreError) -> bool {
    match error {
        StoreError::Sql(sqlx::Error::Database(error)) => {
            error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
        }
        StoreError::Sql(sqlx::Error::Encode(_)) => true,
        _ => false,
    }
}

/// Every value of the row, each as a field of its own.
fn log_line(record: &UsageRecord, message: &'static str) {
    let tokens = &record.tokens;
    let prices = record.cost.map(|cost| cost.prices);
    tracing::info!(
        target: telemetry::RECORDS,
        request_id = %record.request_id,
        arrived = %record.timestamp.to_rfc3339(),
        user_id = %record.user_id,
        access_key_id = %record.access_key_id,
        model = record.model,
        upstream_model = record.upstream_model,
        upstream_message_id = record.upstream_message_id,
        input_tokens = tokens.input,
        output_tokens = tokens.output,
        cache_read_input_tokens = tokens.cache_read,
        cache_creation_input_tokens = tokens.cache_creation,
        cache_creation_5m_tokens = tokens.cache_creation_5m,
        cache_creation_1h_tokens = tokens.cache_creation_1h,
        web_search_requests = tokens.web_search_requests,
        estimated = record.estimated,
        cost_usd = record.cost.map(|cost| cost.usd.to_string()),
        input_price_usd = prices.map(|prices| prices.input.to_string()),
        output_price_usd = prices.map(|prices| prices.output.to_string()),
        cache_read_price_usd = prices.map(|prices| prices.cache_read.to_string()),
        cache_write_5m_price_usd = prices.map(|prices| prices.cache_write_5m.to_string()),
        cache_write_1h_price_usd = prices.map(|prices| prices.cache_write_1h.to_string()),
        priced = record.cost.map(|cost| cost.priced),
        provider = record.provider.name(),
        is_fallback = record.is_fallback,
        latency_ms = record.latency_ms,
        time_to_first_token_ms = record.time_to_first_token_ms,
        outcome = record.outcome.name(),
        session_id = record.session_id,
        agent_id = record.agent_id,
        "{message}"
    );
}
