//! Reads server-sent events from bytes as they come, split anywhere, by the rules of the WHATWG.

/// Largest event, the line that is being read included: what one frame of Amazon's event stream may hold, too.
pub const LARGEST_EVENT: usize = 16 << 20;

/// The mark that may stand before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Room that is kept for the next event; most have some hundred bytes.
const KEPT: usize = 16 << 10;

/// One event, there until the next one is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SseEvent<'r> {
    /// What stands after `event:`; empty where the event has no name.
    pub name: &'r [u8],
    /// What stands after `data:`, lines joined by a line feed.
    pub data: &'r [u8],
}

/// An event is larger than [`LARGEST_EVENT`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an event is larger than {} MiB", LARGEST_EVENT >> 20)]
pub struct TooLarge;

/// A reader of one stream. Looks at each byte once, and holds one event at the most, in the same place as those before.
///
/// Bytes stay bytes: text that is no UTF-8 is for whoever reads the data to refuse.
#[derive(Default, Debug)]
pub struct SseReader {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    name: Vec<u8>,
    /// Every line of data with a line feed behind it.
    data: Vec<u8>,
    /// Whether the event is whole and has been told.
    over: bool,
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
    pub fn next_event(&mut self, chunk: &mut &[u8]) -> Result<Option<SseEvent<'_>>, TooLarge> {
        if std::mem::take(&mut self.over) {
            self.name.clear();
            self.data.clear();
            self.data.shrink_to(KEPT);
        }
        while !self.over {
            if self.after_return && !chunk.is_empty() {
                self.after_return = false;
                *chunk = chunk.strip_prefix(b"\n").unwrap_or(chunk);
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', chunk) else {
                let rest = std::mem::take(chunk);
                self.fits(rest.len())?;
                self.line.extend_from_slice(rest);
                return Ok(None);
            };
            self.fits(end)?;
            let (rest_of_line, following) = chunk.split_at(end);
            self.after_return = following[0] == b'\r';
            *chunk = &following[1..];
            self.over = if self.line.is_empty() {
                self.end_of_line(rest_of_line)
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(rest_of_line);
                self.end_of_line(&line)
            };
        }
        Ok(Some(SseEvent { name: &self.name, data: &self.data }))
    }

    fn fits(&self, more: usize) -> Result<(), TooLarge> {
        let size = self.line.len() + self.name.len() + self.data.len() + more;
        if size > LARGEST_EVENT { Err(TooLarge) } else { Ok(()) }
    }

    /// Takes in a line; an empty one ends the event, if there is one, and only then it says so.
    fn end_of_line(&mut self, line: &[u8]) -> bool {
        let first = !std::mem::replace(&mut self.begun, true);
        let line = if first { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
        if line.is_empty() {
            // The line feed behind the last line goes. Where there was no data at all, there is no event.
            let is_event = self.data.pop().is_some();
            if !is_event {
                self.name.clear();
            }
            return is_event;
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(at) => (&line[..at], line[at + 1..].strip_prefix(b" ").unwrap_or(&line[at + 1..])),
            None => (line, &b""[..]),
        };
        match field {
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(value);
            }
            b"data" => {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            // A comment, the fields of reconnection, or something unknown.
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests;
