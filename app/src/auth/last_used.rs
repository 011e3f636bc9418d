//! Remembers when keys were last used, and has it written down once a minute, apart from any request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::store::Database;

/// How often it is written down.
pub const WRITE_EVERY: Duration = Duration::from_mins(1);
/// Keys remembered at the most, at 24 bytes each; those beyond are noted when they are used again.
const MAX_KEYS: usize = 50_000;
/// Keys of one statement.
const BATCH: usize = 1000;

/// The last uses since they were last written down; cheap to clone.
#[derive(Clone, Default, Debug)]
pub struct LastUsed {
    uses: Arc<Mutex<HashMap<Uuid, DateTime<Utc>>>>,
}

/// The task that writes.
#[derive(Debug)]
pub struct LastUsedTask {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl LastUsed {
    /// Starts to write every so often, while there is something to write.
    pub fn start(database: Database, every: Duration) -> (Self, LastUsedTask) {
        let used = Self::default();
        let stop = CancellationToken::new();
        let task = tokio::spawn(write_down(used.clone(), database, every, stop.clone()));
        (used, LastUsedTask { stop, task })
    }

    /// A key is used now.
    pub fn note(&self, key: Uuid, now: DateTime<Utc>) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = uses.get_mut(&key) {
            *last = now.max(*last);
        } else if uses.len() < MAX_KEYS {
            uses.insert(key, now);
        }
    }

    fn take(&self) -> Vec<(Uuid, DateTime<Utc>)> {
        let uses = std::mem::take(&mut *self.uses.lock().unwrap_or_else(PoisonError::into_inner));
        uses.into_iter().collect()
    }

    /// Writes everything down. What the database does not take is kept for the next time.
    async fn write_down(&self, database: &Database) {
        let uses = self.take();
        let mut rest = &uses[..];
        while !rest.is_empty() {
            let (batch, others) = rest.split_at(rest.len().min(BATCH));
            if let Err(error) = database.keys_used(batch).await {
                tracing::warn!(%error, keys = rest.len(), "the last uses of access keys cannot be stored for the moment");
                return rest.iter().for_each(|(key, moment)| self.note(*key, *moment));
            }
            rest = others;
        }
    }
}

impl LastUsedTask {
    /// Writes down what has not been written, tries once, and ends.
    pub async fn stop(self) {
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::error!("the task that notes the last uses of access keys failed");
        }
    }
}

async fn write_down(used: LastUsed, database: Database, every: Duration, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        used.write_down(&database).await;
    }
    used.write_down(&database).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_remembered_once_with_its_last_use_and_the_room_has_an_end() {
        let (used, at) = (LastUsed::default(), |second| DateTime::from_timestamp(second, 0).unwrap());
        let key = Uuid::from_u128(0);
        for second in [100, 160, 130] {
            used.note(key, at(second));
        }
        for number in 1..=MAX_KEYS as u128 {
            used.note(Uuid::from_u128(number), at(1));
        }
        used.note(key, at(200));
        let taken = used.take();
        assert_eq!(taken.len(), MAX_KEYS);
        assert!(taken.contains(&(key, at(200))));
        assert_eq!(used.take(), []);
    }
}
