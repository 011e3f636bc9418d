//! Reads files line by line without trusting them: what has no line breaks is cut into pieces.

use std::io::{self, BufRead, Read as _};

/// No line of ours is longer; what is, comes in pieces of this size.
const LONGEST: u64 = 1 << 20;

/// Reads the next line with its end, at most `most` bytes, into `line`; returns its length, 0 at the end.
pub(crate) fn next_line(reader: &mut impl BufRead, most: u64, line: &mut Vec<u8>) -> io::Result<u64> {
    line.clear();
    Ok(reader.take(most.min(LONGEST)).read_until(b'\n', line)? as u64)
}
