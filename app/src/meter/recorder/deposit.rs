//! Brings records to the database, however long it takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::domain::UsageRecord;
use crate::meter::log_line;
use crate::store::{Database, StoreError};

/// Waits between tries while the database is away.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long shutdown goes on trying to bring the last records home, in all.
const LAST_TRIES: Duration = Duration::from_secs(10);

/// The way to the database.
#[derive(Debug)]
pub(super) struct Deposit {
    database: Database,
    /// The end is near once it is cancelled: then one deadline holds for everything that is still to be stored.
    pub(super) stop: CancellationToken,
    give_up_at: Option<Instant>,
    oldest: Oldest,
}

/// When the oldest record that is being stored arrived.
#[derive(Clone, Default, Debug)]
pub(super) struct Oldest(Arc<AtomicI64>);

impl Oldest {
    /// How long it has been waiting.
    pub(super) fn age(&self) -> Duration {
        let arrived =
            DateTime::from_timestamp_millis(self.0.load(Ordering::Relaxed)).filter(|at| *at > DateTime::UNIX_EPOCH);
        arrived.and_then(|arrived| (Utc::now() - arrived).to_std().ok()).unwrap_or_default()
    }

    fn set(&self, arrived: Option<DateTime<Utc>>) {
        self.0.store(arrived.map_or(0, |arrived| arrived.timestamp_millis()), Ordering::Relaxed);
    }
}

impl Deposit {
    pub(super) fn new(database: Database, stop: CancellationToken, oldest: Oldest) -> Self {
        Self { database, stop, give_up_at: None, oldest }
    }

    /// Tries until the database has the batch. False when shutdown has no time left for it; what is left in the batch is
    /// not stored, or not known to be.
    pub(super) async fn store(&mut self, batch: &mut Vec<UsageRecord>) -> bool {
        self.oldest.set(batch.iter().map(|record| record.timestamp).min());
        let stored = tokio::select! {
            biased;
            () = last_moment(&self.stop, &mut self.give_up_at) => return false,
            () = store_all(&self.database, batch, &self.stop, &self.oldest) => true,
        };
        self.oldest.set(None);
        stored
    }

    /// Waits so long, or until the end is near.
    pub(super) async fn pause(&self, duration: Duration) {
        pause(&self.stop, duration).await;
    }
}

async fn pause(stop: &CancellationToken, duration: Duration) {
    // An error says that the time is over.
    let _ = tokio::time::timeout(duration, stop.cancelled()).await;
}

/// Waits for the moment in which shutdown has no time left, whatever is under way then.
async fn last_moment(stop: &CancellationToken, give_up_at: &mut Option<Instant>) {
    stop.cancelled().await;
    tokio::time::sleep_until(*give_up_at.get_or_insert_with(|| Instant::now() + LAST_TRIES)).await;
}

/// Tries until nothing is left in the batch. It may be let go of anywhere: what is stored again changes nothing.
async fn store_all(database: &Database, batch: &mut Vec<UsageRecord>, stop: &CancellationToken, oldest: &Oldest) {
    let mut wait = FIRST_PAUSE;
    while !batch.is_empty() {
        match database.store_usage(batch).await {
            Ok(stored) => {
                tracing::debug!(stored, "usage stored");
                batch.clear();
            }
            Err(error) if is_about_the_rows(&error) => {
                tracing::error!(%error, "the database refuses a usage record; storing them one by one");
                store_one_by_one(database, batch).await;
            }
            Err(error) => {
                let oldest_s = oldest.age().as_secs();
                tracing::warn!(%error, records = batch.len(), oldest_s, "usage cannot be stored for the moment");
                // The signal to stop ends a pause, so that a long one does not eat into the last tries.
                if stop.is_cancelled() {
                    tokio::time::sleep(FIRST_PAUSE).await;
                } else {
                    pause(stop, wait).await;
                    wait = (wait * 2).min(LONGEST_PAUSE);
                }
            }
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
                log_line::write(record, log_line::USAGE_LOST);
            }
            Err(_) => return,
        }
        batch.pop();
    }
}

/// Codes of those classes that no record brings about: the server does not know the zone of the sums (after it was
/// replaced, for one), or the table that names the zone is empty. Records wait until that is mended.
const ABOUT_THE_ZONE: [&str; 2] = ["22023", "23502"];

/// Classes 22 (data) and 23 (constraints) of SQLSTATE: trying again would fail again.
pub(crate) fn is_about_the_rows(error: &StoreError) -> bool {
    match error {
        StoreError::Sql(sqlx::Error::Database(error)) => {
            let is_of_a_row = |code: &str| code.starts_with("22") || code.starts_with("23");
            error.code().is_some_and(|code| is_of_a_row(&code) && !ABOUT_THE_ZONE.contains(&&*code))
        }
        StoreError::Sql(sqlx::Error::Encode(_)) => true,
        _ => false,
    }
}
