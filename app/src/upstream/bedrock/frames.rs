//! Reads the frames of Bedrock's event stream while they pass to a client that reads them itself, for what they count.

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::event_stream::Message;
use aws_smithy_types::str_bytes::StrBytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};

use super::stream::METRICS;
use crate::wire::{delta, json};

/// The largest frame that is read. Frames hold single events; Bedrock's are a few KiB at the most.
const LARGEST: usize = 1 << 20;

/// What a frame says, as far as the meter must know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// An event of the model.
    Event {
        /// Its JSON, where it may carry counts.
        counts: Option<Bytes>,
        /// Characters that it adds to the answer.
        characters: u64,
        /// Whether it is the last.
        last: bool,
    },
    /// Bedrock breaks the answer off; with the HTTP status that this error has in place of an answer.
    Exception(u16),
    /// This is no frame, or a damaged one. Nothing is read any more.
    Damaged,
    /// The frame is larger than what is read. Nothing is read any more.
    TooLarge,
}

/// Puts frames together from pieces. Its memory is bounded by the largest frame that is read.
#[derive(Debug, Default)]
pub struct FrameReader {
    decoder: MessageFrameDecoder,
    pending: BytesMut,
    over: bool,
}

impl FrameReader {
    /// Takes in a copy of the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        if !self.over {
            self.pending.extend_from_slice(piece);
        }
    }

    /// What the next whole frame says; frames that say nothing of interest are skipped.
    pub fn take(&mut self) -> Option<Seen> {
        while !self.over {
            let told = match self.decoder.decode_frame(&mut self.pending) {
                Ok(DecodedFrame::Complete(message)) => read(&message),
                Ok(DecodedFrame::Incomplete) if self.pending.len() <= LARGEST => return None,
                Ok(DecodedFrame::Incomplete) => Some(self.give_up(Seen::TooLarge)),
                Err(_) => Some(self.give_up(Seen::Damaged)),
            };
            if told.is_some() {
                return told;
            }
        }
        None
    }

    fn give_up(&mut self, why: Seen) -> Seen {
        *self = Self { over: true, ..Self::default() };
        why
    }
}

fn read(message: &Message) -> Option<Seen> {
    match header(message, ":message-type")? {
        "event" if header(message, ":event-type") == Some("chunk") => event(message.payload()),
        "exception" => Some(Seen::Exception(status(header(message, ":exception-type").unwrap_or_default()))),
        "error" => Some(Seen::Exception(500)),
        _ => None,
    }
}

fn header<'m>(message: &'m Message, name: &str) -> Option<&'m str> {
    let header = message.headers().iter().find(|header| header.name().as_str() == name)?;
    header.value().as_string().ok().map(StrBytes::as_str)
}

/// The chunk's `bytes` hold the JSON of an event, in base64.
fn event(payload: &[u8]) -> Option<Seen> {
    let members = json::members(payload, 0)?;
    let encoded = json::string(payload, &json::find(payload, &members, "bytes")?.value)?;
    let event = Bytes::from(STANDARD.decode(encoded.as_bytes()).ok()?);
    let members = json::members(&event, 0)?;
    let kind = json::find(&event, &members, "type").and_then(|member| json::string(&event, &member.value));
    let kind = kind.unwrap_or_default();
    // Models of other makers have events of their own, but these metrics at the end are Bedrock's.
    let last = kind == "message_stop" || json::find(&event, &members, METRICS).is_some();
    let counts = last || kind == "message_start" || kind == "message_delta";
    let characters = if counts { 0 } else { delta::characters_of(&event, &members) };
    Some(Seen::Event { counts: counts.then_some(event), characters, last })
}

/// The HTTP status that the same error has in place of an answer.
fn status(exception: &str) -> u16 {
    match exception {
        "validationException" => 400,
        "modelTimeoutException" => 408,
        "throttlingException" => 429,
        "serviceUnavailableException" => 503,
        _ => 500,
    }
}

#[cfg(test)]
mod tests;
