//! Reads the counts of the plan's answer while its bytes pass: events or a message, compressed or not.

use std::io::{self, Write};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};

use super::UsageMerge;
use crate::wire::content_coding::Decoder;
use crate::wire::delta;
use crate::wire::json_sieve::Sieve;
use crate::wire::sse_reader::{SseEvent, SseReader};

/// What is read of a whole message.
const MEMBERS: &[&str] = &["id", "model", "usage"];
/// What an answer may unpack to; the longest are a few dozen megabytes.
const LARGEST: usize = 256 << 20;

/// The reader of one answer. It sees a copy; what it cannot read is not counted.
pub struct AnswerReader {
    decoder: Option<Decoder<Sink>>,
}

/// Where the unpacked answer goes.
struct Sink {
    shape: Shape,
    /// Lent for as long as a piece is read.
    usage: UsageMerge,
    left: usize,
}

enum Shape {
    Events(SseReader),
    Message(Sieve),
}

impl AnswerReader {
    /// A reader of the answer with these headers.
    pub fn of(headers: &HeaderMap) -> Self {
        let shape = if values(headers, &CONTENT_TYPE).trim_start().starts_with("text/event-stream") {
            Shape::Events(SseReader::default())
        } else {
            Shape::Message(Sieve::new(MEMBERS))
        };
        let sink = Sink { shape, usage: UsageMerge::default(), left: LARGEST };
        Self { decoder: Decoder::new(&values(headers, &CONTENT_ENCODING), sink) }
    }

    /// Takes in the next bytes of the answer.
    pub fn see(&mut self, bytes: &Bytes, usage: &mut UsageMerge) {
        let Some(decoder) = &mut self.decoder else { return };
        std::mem::swap(usage, &mut decoder.sink().usage);
        let taken = decoder.take(bytes);
        std::mem::swap(usage, &mut decoder.sink().usage);
        if let Err(error) = taken {
            tracing::warn!(%error, "the answer of the plan cannot be read; what follows is not counted");
            self.decoder = None;
        }
    }
}

impl std::fmt::Debug for AnswerReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AnswerReader").finish_non_exhaustive()
    }
}

impl Write for Sink {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let too_large = || io::Error::other("it is too large");
        self.left = self.left.checked_sub(piece.len()).ok_or_else(too_large)?;
        match &mut self.shape {
            Shape::Message(sieve) => {
                if let Some(members) = sieve.see(piece) {
                    self.usage.observe(&members);
                }
            }
            Shape::Events(reader) => {
                let mut rest = piece;
                while let Some(event) = reader.next_event(&mut rest).map_err(io::Error::other)? {
                    read(event, &mut self.usage);
                }
            }
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn read(event: SseEvent<'_>, usage: &mut UsageMerge) {
    match event.name {
        b"content_block_delta" => usage.wrote(delta::characters(event.data)),
        b"message_start" | b"message_delta" | b"message_stop" => usage.observe(event.data),
        _ => {}
    }
}

/// All values of a header, as if they stood in one line.
fn values(headers: &HeaderMap, name: &HeaderName) -> String {
    let values: Vec<&str> = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?")).collect();
    values.join(",")
}

#[cfg(test)]
mod tests;
