//! Looks after the sums of usage in the background: whether they are those of the right time zone, and how old they get.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::ReportConfig;
use crate::store::{Database, StoreError, ZoneState};

/// How often.
const EVERY: Duration = Duration::from_hours(1);
/// How soon again after the database did not answer.
const AGAIN_AFTER: Duration = Duration::from_secs(2);
/// How long a start waits for it.
const FIRST_LOOK: Duration = Duration::from_secs(3);
/// Rows that are removed at a time: few, so that nobody waits for them.
const BATCH: u32 = 2000;
/// Between two batches others have their turn.
const PAUSE: Duration = Duration::from_millis(100);

/// The task.
#[derive(Debug)]
pub struct Upkeep {
    stop: CancellationToken,
    task: JoinHandle<()>,
    looked: watch::Receiver<bool>,
}

impl Upkeep {
    /// Starts it.
    pub fn start(database: Database, config: ReportConfig) -> Self {
        let stop = CancellationToken::new();
        let (told, looked) = watch::channel(false);
        let caretaker = Caretaker { database, config, said: None };
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            // What is under way may be let go of anywhere: each statement is whole.
            stopped.run_until_cancelled(caretaker.work(told)).await;
        });
        Self { stop, task, looked }
    }

    /// Waits for the end of the first look at the zone, however it went, a few seconds at the most: what is summed up
    /// before may be summed up in another one.
    pub async fn first_look(&mut self) {
        // An error says that it takes longer, or that the task has ended; then there is nothing to wait for.
        let _ = tokio::time::timeout(FIRST_LOOK, self.looked.wait_for(|looked| *looked)).await;
    }

    /// Ends it.
    pub async fn stop(self) {
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::error!("the task that looks after the sums of usage failed");
        }
    }
}

struct Caretaker {
    database: Database,
    config: ReportConfig,
    /// What was last said of the zone; at every look it would be too much.
    said: Option<ZoneState>,
}

impl Caretaker {
    async fn work(mut self, told: watch::Sender<bool>) {
        let mut told_away = false;
        loop {
            let zone = self.look_at_zone().await;
            told.send_replace(true);
            let pause = match zone.and(self.delete_old_minutes().await) {
                Ok(()) => {
                    told_away = false;
                    EVERY
                }
                Err(error) => {
                    if !std::mem::replace(&mut told_away, true) {
                        tracing::warn!(%error, "the sums of usage cannot be looked after for the moment");
                    }
                    AGAIN_AFTER
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn look_at_zone(&mut self) -> Result<(), StoreError> {
        let wanted = self.config.zone.name();
        let state = self.database.settle_zone(wanted).await?;
        if self.said.as_ref() == Some(&state) {
            return Ok(());
        }
        match &state {
            ZoneState::Agreed => tracing::info!(zone = wanted, "usage is summed up in the zone of REPORT_TIMEZONE"),
            ZoneState::Other(zone) => tracing::error!(
                zone,
                REPORT_TIMEZONE = wanted,
                "usage goes on to be summed up in the zone that the sums are in, not in that of REPORT_TIMEZONE; to change \
                 that, run: claude-code-proxy usage-verify --rebuild"
            ),
            ZoneState::Unknown(zone) => tracing::error!(
                zone,
                REPORT_TIMEZONE = wanted,
                "the database server does not know the zone of REPORT_TIMEZONE, and usage is summed up in another one; \
                 renew the server's time zones, or take a zone that it has in pg_timezone_names"
            ),
        }
        self.said = Some(state);
        Ok(())
    }

    async fn delete_old_minutes(&self) -> Result<(), StoreError> {
        let mut deleted = 0;
        while let Some(batch) = self.database.delete_old_minutes(self.config.minutes_kept, BATCH).await? {
            deleted += batch;
            if batch < u64::from(BATCH) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        if deleted > 0 {
            tracing::info!(deleted, "old sums of usage by the minute removed");
        }
        Ok(())
    }
}
