//! The reader of frames against genuine frames, whole, cut and damaged.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue};
use proptest::prelude::*;

use super::*;

fn frame(headers: &[(&'static str, &str)], payload: &[u8]) -> Vec<u8> {
    let headers =
        headers.iter().map(|(name, value)| Header::new(*name, HeaderValue::String((*value).to_owned().into())));
    let mut bytes = Vec::new();
    write_message_to(&Message::new_from_parts(headers.collect(), Bytes::copy_from_slice(payload)), &mut bytes).unwrap();
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
    Seen::Event { counts: Some(Bytes::copy_from_slice(event.as_bytes())), characters: 0, last }
}

#[test]
fn events_are_seen_at_every_split() {
    let (start, delta) = (r#"{"type":"message_start","message":{}}"#, r#"{"type":"content_block_delta"}"#);
    let (end, stop) = (r#"{"type":"message_delta","usage":{}}"#, r#"{"type":"message_stop"}"#);
    let whole = [chunk(start), chunk(delta), chunk(end), chunk(stop)].concat();
    let expected = [
        counting(start, false),
        Seen::Event { counts: None, characters: 0, last: false },
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
    assert_eq!(seen(&[&chunk(talk)]), [Seen::Event { counts: None, characters: 0, last: false }]);
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
