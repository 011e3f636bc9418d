//! The task that writes: takes records out of memory and of the journal, a batch at a time, and has them stored.

use std::io;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::deposit::Deposit;
use crate::domain::UsageRecord;
use crate::meter::journal::{self, Folder, Journal, Position};
use crate::meter::log_line;

/// Rows of one statement.
const BATCH: usize = 500;
/// How long a record waits for others.
const GATHER: Duration = Duration::from_millis(100);
/// How often the journals of other processes are looked at: one that was killed may never start again.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What is to be stored, and where it comes from.
#[derive(Debug)]
pub(super) struct Feed {
    queue: mpsc::Receiver<UsageRecord>,
    /// Records out of the queue; those in the journal are read from there again when they are needed.
    waiting: Vec<UsageRecord>,
    journal: Option<Journal>,
    /// Up to where the journal is stored.
    mark: Position,
    next_look: Instant,
    deposit: Deposit,
}

impl Feed {
    pub(super) fn new(queue: mpsc::Receiver<UsageRecord>, journal: Option<Journal>, deposit: Deposit) -> Self {
        let mark = journal.as_ref().map(Journal::mark).unwrap_or_default();
        Self { queue, waiting: Vec::with_capacity(BATCH), journal, mark, next_look: Instant::now(), deposit }
    }

    /// Writes until it is told to stop, and then what there is.
    pub(super) async fn run(mut self) {
        while self.gather().await {
            self.store_all().await;
            self.take_over().await;
        }
        self.queue.close();
        self.store_all().await;
        self.close().await;
    }

    /// Waits for a first record, then a moment for more. False when there will be none.
    async fn gather(&mut self) -> bool {
        let (journal, next_look) = (&self.journal, self.next_look);
        let appended = async {
            match journal {
                Some(journal) => tokio::select! {
                    () = journal.appended() => {}
                    () = tokio::time::sleep_until(next_look) => {}
                },
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.deposit.stop.cancelled() => return false,
            received = self.queue.recv_many(&mut self.waiting, 1) => if received == 0 { return false },
            () = appended => {}
        }
        self.deposit.pause(GATHER).await;
        true
    }

    /// Stores what there is. What is in memory only comes first.
    async fn store_all(&mut self) {
        loop {
            while self.waiting.len() < BATCH
                && let Ok(record) = self.queue.try_recv()
            {
                self.waiting.push(record);
            }
            if !self.waiting.is_empty() {
                if !self.deposit.store(&mut self.waiting).await {
                    give_up(&mut self.waiting);
                }
            } else if !self.store_from_journal().await {
                return;
            }
        }
    }

    /// Stores a batch of the journal. False when there is none, or no time for it.
    async fn store_from_journal(&mut self) -> bool {
        let Some(journal) = self.journal.clone() else { return false };
        let (from, reading) = (self.mark, journal.clone());
        let mut batch = match blocking(move || reading.read(from, BATCH)).await {
            Ok(batch) => batch,
            Err(error) => {
                tracing::error!(%error, "the usage journal cannot be read; it will be tried again");
                return false;
            }
        };
        if batch.end == from || !self.deposit.store(&mut batch.records).await {
            return false;
        }
        self.mark = batch.end;
        if let Err(error) = blocking(move || journal.settle(batch.end, batch.lines, false)).await {
            // It will be read and stored again after a restart, which changes nothing in the database.
            tracing::warn!(%error, "the mark of the usage journal cannot be moved");
        }
        true
    }

    /// Stores what processes that have ended left behind.
    async fn take_over(&mut self) {
        let Some(journal) = self.journal.clone().filter(|_| Instant::now() >= self.next_look) else { return };
        self.next_look = Instant::now() + LOOK_EVERY;
        match blocking(move || journal.left_behind()).await {
            Ok(folders) => {
                for folder in folders {
                    if let Err(error) = self.empty(folder).await {
                        tracing::error!(%error, "a usage journal that was left behind cannot be read to its end");
                    }
                }
            }
            Err(error) => tracing::error!(%error, "the folder of the usage journal cannot be looked at"),
        }
    }

    async fn empty(&mut self, mut folder: Folder) -> io::Result<()> {
        tracing::info!(folder = %folder.path().display(), "storing usage that a process left behind");
        loop {
            let read = move || {
                let from = folder.mark();
                let batch = journal::read(&folder, from, Position::LAST, BATCH)?;
                Ok((folder, from, batch))
            };
            let (theirs, from, mut batch) = blocking(read).await?;
            if batch.end == from || !self.deposit.store(&mut batch.records).await {
                // Where there was nothing but the mark of a segment, that goes as well.
                return blocking(move || theirs.delete_behind(from, None).map(|_| ())).await;
            }
            let settle = move || {
                theirs.set_mark(batch.end)?;
                theirs.delete_behind(batch.end, None)?;
                Ok(theirs)
            };
            folder = blocking(settle).await?;
        }
    }

    /// Leaves nothing behind but what could not be stored.
    async fn close(self) {
        let Some(journal) = self.journal else { return };
        let closing = journal.clone();
        if let Err(error) = blocking(move || closing.settle(self.mark, 0, true)).await {
            tracing::warn!(%error, "the mark of the usage journal cannot be moved");
        }
        let (records, bytes) = journal.size();
        if records > 0 {
            tracing::warn!(
                records,
                bytes,
                "the database is away at shutdown: usage is in the journal until the next start"
            );
        }
    }
}

fn give_up(batch: &mut Vec<UsageRecord>) {
    tracing::error!(records = batch.len(), "the database is away at shutdown: these usage records are in the log only");
    for record in batch.drain(..) {
        log_line::write(&record, log_line::USAGE_LOST);
    }
}

/// Runs what waits for the disk where that holds up nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
