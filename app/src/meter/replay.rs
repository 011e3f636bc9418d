//! Finds usage records in files: those of the journal, and logs, in which they stand between other lines.

use std::io::{self, BufRead};

use super::journal::{line, lines::next_line};
use super::log_line::{self, Read};
use crate::domain::UsageRecord;
use crate::store::StoreError;

/// What comes next in a file.
#[derive(Debug)]
pub enum Found {
    /// A record.
    Record(Box<UsageRecord>),
    /// A line about a record which cannot be read.
    Unreadable {
        /// Number of the line, from 1.
        line: u64,
        /// Why.
        why: &'static str,
    },
}

/// Reads one file.
#[derive(Debug)]
pub struct Records<R> {
    reader: R,
    bytes: Vec<u8>,
    line: u64,
}

impl<R: BufRead> Records<R> {
    /// From its beginning.
    pub fn of(reader: R) -> Self {
        Self { reader, bytes: Vec::new(), line: 0 }
    }

    fn find(&mut self) -> io::Result<Option<Found>> {
        while next_line(&mut self.reader, u64::MAX, &mut self.bytes)? > 0 {
            self.line += 1;
            let line = self.line;
            if line::is_one(&self.bytes) {
                return Ok(Some(match line::read(&self.bytes) {
                    Ok(record) => Found::Record(Box::new(record)),
                    Err(line::Unreadable::Damaged) => Found::Unreadable { line, why: "it is damaged or cut off" },
                    Err(line::Unreadable::Newer) => Found::Unreadable { line, why: "a newer version wrote it" },
                }));
            }
            match log_line::read(&self.bytes) {
                Read::Record(record) => return Ok(Some(Found::Record(record))),
                Read::Unreadable => return Ok(Some(Found::Unreadable { line, why: "it is damaged or cut off" })),
                Read::Other => {}
            }
        }
        Ok(None)
    }
}

/// The lines about records; those about anything else are passed over.
impl<R: BufRead> Iterator for Records<R> {
    type Item = io::Result<Found>;

    fn next(&mut self) -> Option<Self::Item> {
        self.find().transpose()
    }
}

/// Whether the database refuses the record itself, so that trying again would be of no use.
pub fn is_refusal(error: &StoreError) -> bool {
    super::recorder::is_about_the_rows(error)
}
