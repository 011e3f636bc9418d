//! Reads a journal from a position on; what is damaged costs itself and no other line.

use std::fs::File;
use std::io::{self, BufReader, Seek as _, SeekFrom};

use super::folder::{Folder, Position};
use super::line::{self, Unreadable};
use super::lines::next_line;
use crate::domain::UsageRecord;
use crate::telemetry::counters;

/// Some records in a row.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The records.
    pub(crate) records: Vec<UsageRecord>,
    /// How many lines they were taken from, unreadable ones included.
    pub(crate) lines: u64,
    /// Where the next ones begin.
    pub(crate) end: Position,
}

/// Reads up to `most` records between two positions; what follows `until` may be half written.
pub(crate) fn read(folder: &Folder, from: Position, until: Position, most: usize) -> io::Result<Batch> {
    let mut batch = Batch { records: Vec::new(), lines: 0, end: from };
    for segment in between(folder, from, until)? {
        if segment > batch.end.segment {
            batch.end = Position { segment, offset: 0 };
        }
        let end = if segment == until.segment { until.offset } else { u64::MAX };
        read_segment(folder, end, most, &mut batch)?;
        if batch.records.len() >= most {
            break;
        }
    }
    Ok(batch)
}

/// The number of lines from there on.
pub(crate) fn count(folder: &Folder, from: Position) -> io::Result<u64> {
    let (mut lines, mut bytes) = (0, Vec::new());
    for segment in between(folder, from, Position::LAST)? {
        let mut reader = open(folder, segment, if segment == from.segment { from.offset } else { 0 })?;
        while next_line(&mut reader, u64::MAX, &mut bytes)? > 0 {
            lines += 1;
        }
    }
    Ok(lines)
}

/// The segments that have something between two positions.
fn between(folder: &Folder, from: Position, until: Position) -> io::Result<impl Iterator<Item = u64> + use<>> {
    let segments = folder.segments()?.into_keys();
    Ok(segments.filter(move |number| (from.segment..=until.segment).contains(number)))
}

fn open(folder: &Folder, segment: u64, offset: u64) -> io::Result<BufReader<File>> {
    let mut file = File::open(folder.segment(segment))?;
    file.seek(SeekFrom::Start(offset))?;
    Ok(BufReader::new(file))
}

fn read_segment(folder: &Folder, end: u64, most: usize, batch: &mut Batch) -> io::Result<()> {
    let mut reader = open(folder, batch.end.segment, batch.end.offset)?;
    let mut bytes = Vec::new();
    while batch.records.len() < most {
        let length = next_line(&mut reader, end.saturating_sub(batch.end.offset), &mut bytes)?;
        if length == 0 {
            break;
        }
        match line::read(&bytes) {
            Ok(record) => batch.records.push(record),
            Err(Unreadable::Damaged) => {
                counters::journal_line_unreadable("damaged");
                let path = folder.segment(batch.end.segment);
                let (file, offset) = (path.display(), batch.end.offset);
                tracing::error!(%file, offset, length, "a line of the usage journal is damaged; the log has its record");
            }
            Err(Unreadable::Newer) => {
                counters::journal_line_unreadable("newer");
                let kept = folder.keep(batch.end.segment)?;
                let (file, offset) = (kept.display(), batch.end.offset);
                tracing::error!(
                    %file, offset, "a line of the usage journal was written by a newer version; the file is kept: \
                                    read it with `usage-replay` of that version"
                );
            }
        }
        batch.lines += 1;
        batch.end.offset += length;
    }
    Ok(())
}
