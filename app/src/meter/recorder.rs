//! Takes usage records from requests without making them wait for the database, which gets them in batches.

mod deposit;
mod every_second;
mod feed;

use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use deposit::is_about_the_rows;
use deposit::{Deposit, Oldest};
use feed::Feed;

use super::journal::Journal;
use super::log_line;
use super::{Budgets, Prices};
use crate::domain::{Provider, UsageRecord};
use crate::store::Database;
use crate::telemetry::counters;

/// Records that wait in memory at the most, where the journal does not take them; at about 500 bytes each.
const QUEUE: usize = 20_000;

/// The way in, cheap to clone. Every record is also a complete `usage` line in the log, which is the second source of
/// truth for whatever does not reach the database.
#[derive(Clone, Debug)]
pub struct Recorder {
    queue: mpsc::Sender<UsageRecord>,
    prices: Prices,
    budgets: Budgets,
    journal: Option<Journal>,
}

/// The tasks behind it; joined at shutdown.
#[derive(Debug)]
pub struct RecorderTask {
    stop: CancellationToken,
    feed: JoinHandle<()>,
    done: CancellationToken,
    every_second: JoinHandle<()>,
}

impl Recorder {
    /// Starts the tasks that write.
    pub fn start(
        database: Database,
        prices: Prices,
        budgets: Budgets,
        journal: Option<Journal>,
    ) -> (Self, RecorderTask) {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let (stop, done, oldest) = (CancellationToken::new(), CancellationToken::new(), Oldest::default());
        let deposit = Deposit::new(database, stop.clone(), oldest.clone());
        let feed = tokio::spawn(Feed::new(receiver, journal.clone(), deposit).run());
        let recorder = Self { queue, prices, budgets, journal };
        let every_second = tokio::spawn(every_second::run(recorder.clone(), oldest, done.clone()));
        (recorder, RecorderTask { stop, feed, done, every_second })
    }

    /// Prices a record and writes it down, in the journal and in the log, and has it stored. Takes as long as a write to a file does.
    pub fn record(&self, mut record: UsageRecord) {
        record.cost = Some(self.prices.cost(&record));
        self.budgets.record(&record);
        if record.provider == Provider::Bedrock {
            counters::bedrock_tokens(&record.tokens);
        }
        let journaled = self.journal.as_ref().is_some_and(|journal| journal.takes(&record));
        log_line::write(&record, log_line::USAGE);
        if journaled {
            return;
        }
        if let Err(error) = self.queue.try_send(record) {
            let (TrySendError::Full(record) | TrySendError::Closed(record)) = error;
            counters::usage_in_log_only();
            tracing::error!(request_id = %record.request_id, "no room for a usage record: it is in the log only");
        }
    }

    /// Records that wait for the database.
    pub fn queued(&self) -> usize {
        let in_journal = self.journal.as_ref().map_or(0, |journal| journal.size().0);
        (QUEUE - self.queue.capacity()).saturating_add(usize::try_from(in_journal).unwrap_or(usize::MAX))
    }
}

impl RecorderTask {
    /// Takes no more records, brings home what waits, and ends.
    pub async fn drain(self) {
        self.stop.cancel();
        if self.feed.await.is_err() {
            tracing::error!("the task that writes usage failed; the log has its records");
        }
        self.done.cancel();
        if self.every_second.await.is_err() {
            tracing::error!("the task that looks after the usage journal failed; the log has its records");
        }
    }
}
