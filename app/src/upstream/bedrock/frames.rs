//! Reads the frames of Bedrock's event stream while they pass to a client that reads them itself, for what they count.

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::event_stream::Message;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};

use super::stream::METRICS;
use crate::wire::json;

/// The largest frame that is read. Frames hold single events; Bedrock's are a few KiB at the most.
const LARGEST: usize = 1 << 20;

/// What a frame says, as far as the meter must know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// An event of the model.
    Event {
        /// Its JSON, where it may carry counts.
        counts: Option<Bytes>,
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
            match self.decoder.decode_frame(&mut self.pending) {
                Ok(DecodedFrame::Complete(message)) => match read(&message) {
                    Some(seen) => return Some(seen),
                    None => continue,
                },
                Ok(DecodedFrame::Incomplete) if self.pending.len() <= LARGEST => return None,
                Ok(DecodedFrame::Incomplete) => return self.give_up(Seen::TooLarge),
                Err(_) => return self.give_up(Seen::Damaged),
            }
        }
        None
    }

    fn give_up(&mut self, why: Seen) -> Option<Seen> {
        *self = Self { over: true, ..Self::default() };
        Some(why)
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
    header.value().as_string().ok().map(|value| value.as_str())
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
    Some(Seen::Event { counts: counts.then(|| event.clone()), last })
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
mod tests {
    use aws_smithy_eventstream::frame::write_message_to;
    use aws_smithy_types::event_stream::{Header, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn frame(headers: &[(&'static str, &str)], payload: &[u8]) -> Vec<u8> {
        let headers =
            headers.iter().map(|(name, value)| Header::new(*name, HeaderValue::String((*value).to_owned().into())));
        let mut bytes = Vec::new();
        write_message_to(&Message::new_from_parts(headers.collect(), Bytes::copy_from_slice(payload)), &mut bytes)
            .unwrap();
        bytes
    }

    fn chunk(event: &str) -> Vec<u8> {
        let payload = format!(r#"{{"bytes":"{}","p":"abc"}}"#, STANDARD.encode(event));
        frame(&[(":event-type", "chunk"), (":message-type", "event")], payload.as_bytes())
    }

    fn exception(kind: &str) -> Vec<u8> {
        frame(&[(":exception-type", kind), (":message-type", "exception")], b"{\"message\":\"no\"}")
    }

    fn seen(pieces: &[&[u8]]) -> Vec<Seen> {
        let mut reader = FrameReader::default();
        let mut all = Vec::new();
        for piece in pieces {
            reader.push(piece);
            while let Some(seen) = reader.take() {
                all.push(seen);
            }
        }
        all
    }

    fn counting(event: &str, last: bool) -> Seen {
        Seen::Event { counts: Some(Bytes::copy_from_slice(event.as_bytes())), last }
    }

    #[test]
    fn events_are_seen_at_every_split() {
        let (start, delta) = (r#"{"type":"message_start","message":{}}"#, r#"{"type":"content_block_delta"}"#);
        let (end, stop) = (r#"{"type":"message_delta","usage":{}}"#, r#"{"type":"message_stop"}"#);
        let whole = [chunk(start), chunk(delta), chunk(end), chunk(stop)].concat();
        let expected = [
            counting(start, false),
            Seen::Event { counts: None, last: false },
            counting(end, false),
            counting(stop, true),
        ];
        for at in 0..=whole.len() {
            assert_eq!(seen(&[&whole[..at], &whole[at..]]), expected, "split at byte {at}");
        }
        assert_eq!(seen(&whole.chunks(1).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn the_metrics_end_the_streams_of_other_models_and_a_text_about_them_does_not() {
        let metrics = r#"{"x":1,"amazon-bedrock-invocationMetrics":{"inputTokenCount":3}}"#;
        assert_eq!(seen(&[&chunk(metrics)]), [counting(metrics, true)]);
        let talk = r#"{"type":"content_block_delta","text":"amazon-bedrock-invocationMetrics, message_stop"}"#;
        assert_eq!(seen(&[&chunk(talk)]), [Seen::Event { counts: None, last: false }]);
    }

    #[test]
    fn exceptions_have_their_status() {
        for (kind, status) in [
            ("internalServerException", 500),
            ("modelStreamErrorException", 500),
            ("modelTimeoutException", 408),
            ("serviceUnavailableException", 503),
            ("throttlingException", 429),
            ("validationException", 400),
            ("anExceptionOfTomorrow", 500),
        ] {
            assert_eq!(seen(&[&exception(kind)]), [Seen::Exception(status)], "{kind}");
        }
        assert_eq!(seen(&[&frame(&[(":message-type", "error")], b"")]), [Seen::Exception(500)]);
    }

    #[test]
    fn frames_that_say_nothing_are_skipped() {
        for payload in ["", "{}", "{\"bytes\":7}", "{\"bytes\":\"?\"}", "{\"bytes\":\"bm8=\"}"] {
            let silent = frame(&[(":event-type", "chunk"), (":message-type", "event")], payload.as_bytes());
            assert_eq!(seen(&[&silent, &exception("x")]), [Seen::Exception(500)], "{payload}");
        }
        let of_tomorrow = frame(&[(":event-type", "news"), (":message-type", "event")], b"{}");
        assert_eq!(seen(&[&of_tomorrow, &frame(&[], b"")]), []);
    }

    #[test]
    fn what_cannot_be_read_is_told_once() {
        let mut damaged = chunk(r#"{"type":"ping"}"#);
        let at = damaged.len() - 6;
        damaged[at] ^= 1;
        assert_eq!(seen(&[&damaged, &exception("x")]), [Seen::Damaged]);
        assert_eq!(seen(&[b"\0\0\0\x14 is no frame at all"]), [Seen::Damaged]);
        let large = chunk(&format!(r#"{{"type":"ping","x":"{}"}}"#, "x".repeat(2 * LARGEST)));
        let mut reader = FrameReader::default();
        let mut told = Vec::new();
        for piece in large.chunks(64 << 10) {
            reader.push(piece);
            told.extend(reader.take());
            assert!(reader.pending.capacity() <= 4 * LARGEST);
        }
        assert_eq!((told, reader.pending.capacity()), (vec![Seen::TooLarge], 0));
    }

    proptest! {
        /// Whatever comes, in whatever pieces: no panic, and not a frame more than there is.
        #[test]
        fn nothing_makes_it_panic(noise in proptest::collection::vec(any::<u8>(), 0..300), at in 0_usize..400, cut in 1_usize..64) {
            let mut bytes = [chunk(r#"{"type":"message_start"}"#), exception("x"), chunk(r#"{"type":"message_stop"}"#)].concat();
            let at = at.min(bytes.len());
            for (byte, noise) in bytes[at..].iter_mut().zip(&noise) {
                *byte = *noise;
            }
            let found = seen(&bytes.chunks(cut).collect::<Vec<_>>());
            prop_assert!(found.len() <= 3);
        }
    }
}
