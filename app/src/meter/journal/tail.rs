//! The end of the journal: the segment that is written to, and what the disk has not been told to keep yet.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::sync::Arc;

use super::folder::{Folder, Position};

/// A segment ends when it has this part of the whole: only whole segments are deleted.
const PARTS: u64 = 16;
const LARGEST_SEGMENT: u64 = 16 << 20;

/// Why a record did not get into the journal.
#[derive(thiserror::Error, Debug)]
pub(crate) enum Refused {
    /// It would be larger than it may be.
    #[error("it has USAGE_JOURNAL_MAX_SIZE")]
    Full,
    /// The disk.
    #[error("{0}")]
    Failed(#[from] io::Error),
}

impl Refused {
    /// The label of the counter.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Failed(_) => "failed",
        }
    }
}

/// The end of the journal.
#[derive(Debug)]
pub(crate) struct Tail {
    live: Option<Live>,
    next: u64,
    /// Size of all segments.
    pub(crate) bytes: u64,
    /// Lines that are not behind the mark.
    pub(crate) waiting: u64,
    max: u64,
    unsynced: Vec<Arc<File>>,
}

#[derive(Debug)]
struct Live {
    file: Arc<File>,
    end: Position,
    synced: bool,
}

impl Tail {
    /// Goes on behind what is there, in a segment of its own.
    pub(crate) fn new(folder: &Folder, max: u64) -> io::Result<Self> {
        let there = folder.segments()?;
        let newest = there.keys().next_back().copied().unwrap_or(0).max(folder.mark().segment);
        let bytes = there.values().sum();
        Ok(Self { live: None, next: newest + 1, bytes, waiting: 0, max, unsynced: Vec::new() })
    }

    /// Appends a line, with one plain write.
    pub(crate) fn append(&mut self, folder: &Folder, text: &[u8]) -> Result<(), Refused> {
        let length = text.len() as u64;
        if self.bytes + length > self.max {
            return Err(Refused::Full);
        }
        if self.live.as_ref().is_some_and(|live| live.end.offset >= self.segment_size()) {
            self.live = None;
        }
        let mut live = match self.live.take() {
            Some(live) => live,
            None => self.begin(folder)?,
        };
        if let Err(error) = (&*live.file).write_all(text) {
            // Half a line may be there. It is taken away if that works, and the next record begins a new segment; but not
            // behind an empty one, or a full disk would be filled with those.
            match live.file.set_len(live.end.offset) {
                Ok(()) if live.end.offset == 0 => self.live = Some(live),
                Ok(()) => {}
                Err(_) => self.bytes += length,
            }
            return Err(error.into());
        }
        live.end.offset += length;
        if std::mem::take(&mut live.synced) {
            self.unsynced.push(Arc::clone(&live.file));
        }
        self.live = Some(live);
        self.bytes += length;
        self.waiting += 1;
        Ok(())
    }

    fn begin(&mut self, folder: &Folder) -> io::Result<Live> {
        let segment = self.next;
        self.next += 1;
        let file = OpenOptions::new().append(true).create_new(true).open(folder.segment(segment))?;
        Ok(Live { file: Arc::new(file), end: Position { segment, offset: 0 }, synced: true })
    }

    fn segment_size(&self) -> u64 {
        (self.max / PARTS).min(LARGEST_SEGMENT)
    }

    /// The segment that is written to.
    pub(crate) fn live(&self) -> Option<u64> {
        self.live.as_ref().map(|live| live.end.segment)
    }

    /// How far everything is whole.
    pub(crate) fn end(&self) -> Position {
        self.live.as_ref().map_or(Position { segment: self.next, offset: 0 }, |live| live.end)
    }

    /// Everything up to `mark` is in the database. A segment that has its size, or is not needed any more, is given up,
    /// so that it can be deleted.
    pub(crate) fn settled(&mut self, mark: Position, lines: u64, closing: bool) {
        self.waiting = self.waiting.saturating_sub(lines);
        let all_stored = self.end() == mark && (closing || mark.offset >= self.segment_size());
        if all_stored {
            self.live = None;
        }
    }

    /// The files that the disk has not been told to keep since the last time.
    pub(crate) fn take_unsynced(&mut self) -> Vec<Arc<File>> {
        if let Some(live) = &mut self.live {
            live.synced = true;
        }
        std::mem::take(&mut self.unsynced)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

    use super::*;

    /// B-79
    #[test]
    fn a_full_disk_is_not_filled_with_segments() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::claim(root.path()).unwrap();
        let mut tail = Tail::new(&folder, 1 << 20).unwrap();
        // A file that may not grow is what a full disk has.
        let full = memfd_create("full", MemfdFlags::ALLOW_SEALING).unwrap();
        fcntl_add_seals(&full, SealFlags::GROW).unwrap();
        let end = Position { segment: 1, offset: 0 };
        tail.live = Some(Live { file: Arc::new(full.into()), end, synced: true });
        for _ in 0..3 {
            assert!(matches!(tail.append(&folder, b"a line\n"), Err(Refused::Failed(_))));
        }
        assert_eq!((tail.live(), tail.end(), tail.bytes, tail.waiting), (Some(1), end, 0, 0));
        assert!(folder.segments().unwrap().is_empty());
    }
}
