//! A line of the journal: a usage record as JSON, and before it the version of the form and a checksum of the record.

use crate::domain::UsageRecord;

/// The version that is written, and the newest that can be read.
const VERSION: u64 = 1;
const BEFORE_VERSION: &str = "{\"v\":";
const BEFORE_CHECKSUM: &str = "\"crc\":\"";
const BEFORE_RECORD: &str = "\",\"usage\":";

/// Why a line gives no record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unreadable {
    /// It is not what was written: cut off, or changed on the disk.
    Damaged,
    /// It is whole, and of a version that is newer than this one.
    Newer,
}

/// The line of a record, with its end.
pub(crate) fn write(record: &UsageRecord) -> serde_json::Result<Vec<u8>> {
    let record = serde_json::to_string(record)?;
    let checksum = crc32fast::hash(record.as_bytes());
    let line = format!("{BEFORE_VERSION}{VERSION},{BEFORE_CHECKSUM}{checksum:08x}{BEFORE_RECORD}{record}}}\n");
    Ok(line.into_bytes())
}

/// Whether this can be a line of the journal, whole or not.
pub(crate) fn is_one(line: &[u8]) -> bool {
    line.starts_with(BEFORE_VERSION.as_bytes())
}

/// The record of a line, which is given with its end: a line without one was cut off.
pub(crate) fn read(line: &[u8]) -> Result<UsageRecord, Unreadable> {
    let (version, rest) = split(line).ok_or(Unreadable::Damaged)?;
    if version > VERSION {
        return Err(Unreadable::Newer);
    }
    let record = checked(rest).ok_or(Unreadable::Damaged)?;
    // What is whole and yet makes no sense was written by a program that knows more.
    serde_json::from_str(record).map_err(|_| Unreadable::Newer)
}

/// The version, and what follows it.
fn split(line: &[u8]) -> Option<(u64, &str)> {
    let line = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (version, rest) = line.strip_prefix(BEFORE_VERSION)?.split_once(',')?;
    Some((version.parse().ok()?, rest.strip_suffix('}')?))
}

/// The JSON of the record, if its checksum is right.
fn checked(rest: &str) -> Option<&str> {
    let (checksum, record) = rest.strip_prefix(BEFORE_CHECKSUM)?.split_once(BEFORE_RECORD)?;
    (format!("{:08x}", crc32fast::hash(record.as_bytes())) == checksum).then_some(record)
}
