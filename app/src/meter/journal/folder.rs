//! The folder of one process: its lock, its numbered segments, and the mark up to which everything is in the database.
//!
//! Processes that share a folder get a sub-folder each, and each takes over what one that has ended left behind.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Processes that can share a folder.
const PLACES: u32 = 16;
const LOCK: &str = "lock";
const MARK: &str = "mark";

/// A place in the journal: the beginning of a line, or its end.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Position {
    /// Number of the segment.
    pub(crate) segment: u64,
    /// Bytes before it in the segment.
    pub(crate) offset: u64,
}

impl Position {
    /// Behind everything.
    pub(crate) const LAST: Self = Self { segment: u64::MAX, offset: u64::MAX };
}

/// A sub-folder, which is ours as long as this value lives.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    // Held for its drop: the lock goes with the file, and with the process however that ends.
    _lock: File,
}

impl Folder {
    /// Takes the first sub-folder that no process holds, and makes what is missing.
    pub(crate) fn claim(root: &Path) -> io::Result<Self> {
        for place in 0..PLACES {
            let path = root.join(place.to_string());
            fs::create_dir_all(&path)?;
            if let Some(folder) = Self::lock(path)? {
                return Ok(folder);
            }
        }
        Err(io::Error::other(format!("{PLACES} other processes use it")))
    }

    /// Takes those sub-folders in which processes that have ended left segments.
    pub(crate) fn left_behind(root: &Path) -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        for path in (0..PLACES).map(|place| root.join(place.to_string())).filter(|path| path.is_dir()) {
            // Ours is locked as well, so it is not among them.
            if let Some(folder) = Self::lock(path)?
                && !folder.segments()?.is_empty()
            {
                found.push(folder);
            }
        }
        Ok(found)
    }

    fn lock(path: PathBuf) -> io::Result<Option<Self>> {
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { path, _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file of a segment.
    pub(crate) fn segment(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:012}.jsonl"))
    }

    /// The segments that are there, by number, with their sizes.
    pub(crate) fn segments(&self) -> io::Result<BTreeMap<u64, u64>> {
        let mut segments = BTreeMap::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".jsonl")).and_then(|stem| stem.parse().ok());
            if let Some(number) = number {
                segments.insert(number, entry.metadata()?.len());
            }
        }
        Ok(segments)
    }

    /// Up to where everything is in the database. A mark that is missing or unreadable costs time and nothing else:
    /// records that the database has already change nothing there.
    pub(crate) fn mark(&self) -> Position {
        let text = fs::read_to_string(self.path.join(MARK)).unwrap_or_default();
        let read = || {
            let (segment, offset) = text.strip_suffix('\n')?.split_once(' ')?;
            Some(Position { segment: segment.parse().ok()?, offset: offset.parse().ok()? })
        };
        read().unwrap_or_default()
    }

    /// Moves the mark, whole or not at all.
    pub(crate) fn set_mark(&self, at: Position) -> io::Result<()> {
        let new = self.path.join("mark.new");
        fs::write(&new, format!("{} {}\n", at.segment, at.offset))?;
        fs::rename(new, self.path.join(MARK))
    }

    /// Keeps a segment that holds what this version cannot read, under a second name that nothing here deletes.
    pub(crate) fn keep(&self, number: u64) -> io::Result<PathBuf> {
        let kept = self.path.join(format!("{number:012}.kept"));
        match fs::hard_link(self.segment(number), &kept) {
            Ok(()) => Ok(kept),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(kept),
            // Not every file system has second names.
            Err(_) => fs::copy(self.segment(number), &kept).map(|_| kept),
        }
    }

    /// Deletes the segments that lie wholly behind `mark`, but not the one that is written to; returns their bytes.
    pub(crate) fn delete_behind(&self, mark: Position, live: Option<u64>) -> io::Result<u64> {
        let mut freed = 0;
        for (number, size) in self.segments()? {
            let behind = number < mark.segment || (number == mark.segment && mark.offset >= size);
            if behind && live != Some(number) {
                fs::remove_file(self.segment(number))?;
                freed += size;
            }
        }
        Ok(freed)
    }
}
