//! What the reader of the plan's answers takes from bytes as they come, whole, in pieces and compressed.

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use http::HeaderValue;

use super::*;
use crate::domain::TokenUsage;

const MESSAGE: &str = r#"{"model":"claude-x","id":"msg_1","type":"message","content":[{"type":"text","text":"hi"}],
    "usage":{"input_tokens":3,"output_tokens":5,"server_tool_use":{"web_search_requests":1}}}"#;
const EVENTS: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"claude-x\",",
    "\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n",
    "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Gr\u{fc}\u{df}e\"}}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":5,",
    "\"server_tool_use\":{\"web_search_requests\":1}}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

fn headers(kind: &'static str, coding: &'static str) -> HeaderMap {
    let values = [(CONTENT_TYPE, kind), (CONTENT_ENCODING, coding)];
    values.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}

fn packed(text: &str, coding: &str) -> Vec<u8> {
    match coding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        }
        "br" => {
            let mut packed = Vec::new();
            brotli::CompressorWriter::new(&mut packed, 4096, 5, 22).write_all(text.as_bytes()).unwrap();
            packed
        }
        "zstd" => zstd::encode_all(text.as_bytes(), 3).unwrap(),
        _ => text.as_bytes().to_vec(),
    }
}

fn read_in(pieces: &[&[u8]], kind: &'static str, coding: &'static str) -> UsageMerge {
    let (mut reader, mut usage) = (AnswerReader::of(&headers(kind, coding)), UsageMerge::default());
    for piece in pieces {
        reader.see(&Bytes::copy_from_slice(piece), &mut usage);
    }
    usage
}

#[test]
fn every_coding_is_read_at_every_split() {
    let expected = TokenUsage { input: 3, output: 5, web_search_requests: 1, ..TokenUsage::default() };
    for (kind, text) in [("application/json", MESSAGE), ("text/event-stream; charset=utf-8", EVENTS)] {
        for coding in ["identity", "gzip", "deflate", "br", "zstd"] {
            let body = packed(text, coding);
            let bytes: Vec<&[u8]> = body.chunks(1).collect();
            let splits = (0..=body.len()).step_by(7).map(|at| vec![&body[..at], &body[at..]]).chain([bytes]);
            for pieces in splits {
                let usage = read_in(&pieces, kind, coding);
                assert_eq!(
                    (usage.tokens(), usage.is_final()),
                    (expected, true),
                    "{kind}, {coding}, {} pieces",
                    pieces.len()
                );
                assert_eq!((usage.model(), usage.message_id()), (Some("claude-x"), Some("msg_1")));
                assert_eq!(usage.characters(), if text == EVENTS { 5 } else { 0 });
            }
        }
    }
}

/// Whoever leaves a compressed stream in the middle has used what was sent by then.
#[test]
fn what_is_unpacked_counts_at_once() {
    let (start, rest) = EVENTS.split_once("event: message_delta").unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(start.as_bytes()).unwrap();
    encoder.flush().unwrap();
    let so_far = encoder.get_ref().clone();
    encoder.write_all(rest.as_bytes()).unwrap();
    let usage = read_in(&[&so_far], "text/event-stream", "gzip");
    assert_eq!((usage.tokens().input, usage.characters(), usage.is_final()), (3, 5, false));
}

#[test]
fn what_cannot_be_read_is_not_counted_and_does_no_harm() {
    for (coding, body) in
        [("compress", MESSAGE), ("gzip, br", MESSAGE), ("gzip", MESSAGE), ("br", "\u{1}\u{2}"), ("zstd", MESSAGE)]
    {
        let usage = read_in(&[body.as_bytes(), body.as_bytes()], "application/json", coding);
        assert_eq!(usage, UsageMerge::default(), "{coding}");
    }
}

/// A few kilobytes can stand for gigabytes; they are not unpacked to the end.
#[test]
fn what_unpacks_without_end_is_given_up() {
    let sink = Sink { shape: Shape::Message(Sieve::new(MEMBERS)), usage: UsageMerge::default(), left: 1 << 20 };
    let mut decoder = Decoder::new("br", sink).unwrap();
    let body = packed(&" ".repeat(8 << 20), "br");
    assert!(body.len() < 1 << 10);
    assert!(decoder.take(&body).is_err());
}
