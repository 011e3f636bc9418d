//! Reads server-sent events from bytes as they come, split anywhere, by the rules of the WHATWG.

use bytes::{Buf as _, Bytes};

/// Largest event, the line that is being read included: what one frame of Amazon's event stream may hold, too.
pub const LARGEST_EVENT: usize = 16 << 20;

/// The mark that may stand before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SseEvent {
    /// What stands after `event:`; empty where the event has no name.
    pub name: Vec<u8>,
    /// What stands after `data:`, lines joined by a line feed.
    pub data: Bytes,
}

/// An event is larger than [`LARGEST_EVENT`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an event is larger than {} MiB", LARGEST_EVENT >> 20)]
pub struct TooLarge;

/// A reader of one stream. Looks at each byte once, and holds one event at the most.
///
/// Bytes stay bytes: text that is no UTF-8 is for whoever reads the data to refuse.
#[derive(Default, Debug)]
pub struct SseReader {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    name: Vec<u8>,
    /// Every line of data with a line feed behind it.
    data: Vec<u8>,
    /// Whether a line feed that comes now belongs to the carriage return before it.
    after_return: bool,
    /// Whether the first line, which may have a byte order mark, is over.
    begun: bool,
}

impl SseReader {
    /// The next event, read off the front of `chunk`; `None` when the chunk is used up and the next one is needed. What
    /// has no empty line behind it when the stream ends is no event.
    ///
    /// # Errors
    /// When an event is too large. The stream cannot be read on from there.
    pub fn next_event(&mut self, chunk: &mut Bytes) -> Result<Option<SseEvent>, TooLarge> {
        loop {
            if self.after_return && !chunk.is_empty() {
                self.after_return = false;
                if chunk[0] == b'\n' {
                    chunk.advance(1);
                }
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', chunk) else {
                let rest = std::mem::take(chunk);
                self.fits(rest.len())?;
                self.line.extend_from_slice(&rest);
                return Ok(None);
            };
            self.fits(end)?;
            let rest_of_line = chunk.split_to(end);
            self.after_return = chunk.get_u8() == b'\r';
            let event = if self.line.is_empty() {
                self.end_of_line(&rest_of_line)
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(&rest_of_line);
                self.end_of_line(&line)
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    fn fits(&self, more: usize) -> Result<(), TooLarge> {
        let size = self.line.len() + self.name.len() + self.data.len() + more;
        if size > LARGEST_EVENT { Err(TooLarge) } else { Ok(()) }
    }

    /// Takes in a line; an empty one ends the event, if there is one.
    fn end_of_line(&mut self, line: &[u8]) -> Option<SseEvent> {
        let first = !std::mem::replace(&mut self.begun, true);
        let line = if first { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
        if line.is_empty() {
            let (name, mut data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
            // The line feed behind the last line goes. Where there was no data at all, there is no event.
            data.pop()?;
            return Some(SseEvent { name, data: data.into() });
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(at) => (&line[..at], line[at + 1..].strip_prefix(b" ").unwrap_or(&line[at + 1..])),
            None => (line, &b""[..]),
        };
        match field {
            b"event" => self.name = value.to_vec(),
            b"data" => {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            // A comment, the fields of reconnection, or something unknown.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests;
