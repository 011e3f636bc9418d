//! Usage on disk until the database has it: written before an answer ends, read back by the recorder, this process's or
//! the next one's. A process that is killed loses nothing; a machine that is, loses the last second at most.

mod folder;
pub(crate) mod line;
pub(crate) mod lines;
#[cfg(test)]
mod properties;
mod reader;
mod tail;

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

pub(super) use folder::{Folder, Position};
pub(super) use reader::{Batch, read};
use tail::{Refused, Tail};

use crate::config::JournalConfig;
use crate::domain::UsageRecord;
use crate::telemetry::counters;

/// The journal of this process; cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    root: PathBuf,
    folder: Folder,
    tail: Mutex<Tail>,
    appended: Notify,
    /// Whether the last record found no room, which is told when it changes.
    refusing: AtomicBool,
}

impl Journal {
    /// Opens the journal, or says once why there is none.
    pub fn open(config: &JournalConfig) -> Option<Self> {
        let Some(root) = &config.folder else {
            tracing::warn!("USAGE_JOURNAL_DIR is not set: usage waits for the database in memory only, and in the log");
            return None;
        };
        Self::open_in(root.clone(), config.max_size)
            .inspect_err(|error| {
                let folder = root.display();
                tracing::error!(%folder, %error, "no usage journal: the folder in USAGE_JOURNAL_DIR cannot be used; \
                                                  usage waits for the database in memory only, and in the log");
            })
            .ok()
    }

    fn open_in(root: PathBuf, max: u64) -> io::Result<Self> {
        let folder = Folder::claim(&root)?;
        // A folder that can only be read would be noticed at the first record otherwise.
        folder.set_mark(folder.mark())?;
        let mut tail = Tail::new(&folder, max)?;
        tail.waiting = reader::count(&folder, folder.mark())?;
        let path = folder.path().display();
        tracing::info!(folder = %path, records = tail.waiting, bytes = tail.bytes, "the usage journal is open");
        let (tail, refusing) = (Mutex::new(tail), AtomicBool::new(false));
        Ok(Self { shared: Arc::new(Shared { root, folder, tail, appended: Notify::new(), refusing }) })
    }

    /// Appends a record. False when there was no room for it, which is counted, and told when it begins and ends.
    pub(super) fn takes(&self, record: &UsageRecord) -> bool {
        let result = self.append(record);
        let refused = result.is_err();
        let before = self.shared.refusing.swap(refused, Ordering::Relaxed);
        match result {
            Ok(()) if before => tracing::info!("the usage journal takes records again"),
            Ok(()) => {}
            Err(refusal) => {
                counters::not_journaled(refusal.name());
                if !before {
                    let folder = self.shared.folder.path().display();
                    tracing::error!(
                        %folder, cause = %refusal,
                        "the usage journal takes no more records: they are in memory and in the log"
                    );
                }
            }
        }
        !refused
    }

    fn append(&self, record: &UsageRecord) -> Result<(), Refused> {
        let line = line::write(record).map_err(io::Error::from)?;
        self.tail().append(&self.shared.folder, &line)?;
        self.shared.appended.notify_one();
        Ok(())
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.shared.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something has been appended since the last time.
    pub(super) async fn appended(&self) {
        self.shared.appended.notified().await;
    }

    /// Records that the database does not have yet, and the size of the journal in bytes.
    pub(super) fn size(&self) -> (u64, u64) {
        let tail = self.tail();
        (tail.waiting, tail.bytes)
    }

    /// Where reading begins.
    pub(super) fn mark(&self) -> Position {
        self.shared.folder.mark()
    }

    /// Reads up to `most` records from there on; blocks.
    pub(super) fn read(&self, from: Position, most: usize) -> io::Result<Batch> {
        let until = self.tail().end();
        read(&self.shared.folder, from, until, most)
    }

    /// The database has everything up to `mark`; blocks. `closing`: there will be no more records.
    pub(super) fn settle(&self, mark: Position, lines: u64, closing: bool) -> io::Result<()> {
        let live = {
            let mut tail = self.tail();
            tail.settled(mark, lines, closing);
            tail.live()
        };
        self.shared.folder.set_mark(mark)?;
        let freed = self.shared.folder.delete_behind(mark, live)?;
        let mut tail = self.tail();
        tail.bytes = tail.bytes.saturating_sub(freed);
        Ok(())
    }

    /// Has the disk keep what was written; blocks.
    pub(super) fn sync(&self) -> io::Result<()> {
        let files = self.tail().take_unsynced();
        if files.is_empty() {
            return Ok(());
        }
        for file in files {
            file.sync_data()?;
        }
        // New names are kept by their folder.
        File::open(self.shared.folder.path())?.sync_all()
    }

    /// What processes that have ended left behind; blocks.
    pub(super) fn left_behind(&self) -> io::Result<Vec<Folder>> {
        Folder::left_behind(&self.shared.root)
    }
}
