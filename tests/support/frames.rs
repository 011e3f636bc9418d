//! Amazon's event-stream frames, written by Amazon's own encoder, so that the checksums are genuine.

use std::fmt::Write as _;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;

use crate::claude::Answer;

/// What Bedrock pads with, so that the length of a frame does not betray the length of a word.
const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// All frames of an answer, one per event.
pub fn bedrock_stream(answer: &Answer) -> Vec<Bytes> {
    answer.to_bedrock_events().iter().map(|event| chunk(&event.data)).collect()
}

/// The frame around the JSON of one event.
pub fn chunk(event_json: &str) -> Bytes {
    let mut payload = format!(r#"{{"bytes":"{}","p":""#, STANDARD.encode(event_json));
    let padding = &PADDING[..event_json.len() % PADDING.len()];
    write!(payload, r#"{padding}"}}"#).expect("writing to a string");
    of_kind("chunk", &payload)
}

/// A frame of another kind than those with an event of a model in them.
pub fn of_kind(event_type: &str, payload: &str) -> Bytes {
    let headers = [(":event-type", event_type), (":content-type", "application/json"), (":message-type", "event")];
    frame(&headers, payload.to_owned())
}

/// The frame with which Bedrock breaks off a stream that has begun; `kind` is for example `throttlingException`.
pub fn exception(kind: &str, message: &str) -> Bytes {
    let headers = [(":exception-type", kind), (":content-type", "application/json"), (":message-type", "exception")];
    frame(&headers, json!({ "message": message }).to_string())
}

/// The frame with which the framing itself reports an error that is no modelled exception.
pub fn error(code: &str, message: &str) -> Bytes {
    frame(&[(":message-type", "error"), (":error-code", code), (":error-message", message)], String::new())
}

/// The same frame with one bit of its payload turned over, so that its checksum no longer fits.
pub fn corrupted(frame: &Bytes) -> Bytes {
    const MESSAGE_CHECKSUM: usize = 4;
    let mut bytes = frame.to_vec();
    let last_of_payload = bytes.len() - MESSAGE_CHECKSUM - 1;
    bytes[last_of_payload] ^= 1;
    bytes.into()
}

fn frame(headers: &[(&'static str, &str)], payload: String) -> Bytes {
    let headers =
        headers.iter().map(|&(name, value)| Header::new(name, HeaderValue::String(value.to_owned().into()))).collect();
    let mut bytes = Vec::new();
    write_message_to(&Message::new_from_parts(headers, payload), &mut bytes).expect("a frame far below the limits");
    bytes.into()
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
    use serde_json::Value;

    use super::*;

    fn decode(bytes: Bytes) -> Result<Message, String> {
        match MessageFrameDecoder::new().decode_frame(bytes) {
            Ok(DecodedFrame::Complete(message)) => Ok(message),
            Ok(DecodedFrame::Incomplete) => Err("incomplete".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn header(message: &Message, name: &str) -> String {
        let header = message.headers().iter().find(|header| header.name().as_str() == name);
        header.unwrap().value().as_string().unwrap().as_str().to_owned()
    }

    fn payload(message: &Message) -> Value {
        serde_json::from_slice(message.payload()).unwrap()
    }

    #[test]
    fn a_stream_decodes_to_the_events_of_the_answer() {
        let answer = Answer::text("hello from here").with_thinking("hm", "c2ln");
        let decoded: Vec<String> = bedrock_stream(&answer)
            .into_iter()
            .map(|frame| {
                let message = decode(frame).unwrap();
                assert_eq!(header(&message, ":message-type"), "event");
                assert_eq!(header(&message, ":event-type"), "chunk");
                let event = STANDARD.decode(payload(&message)["bytes"].as_str().unwrap()).unwrap();
                String::from_utf8(event).unwrap()
            })
            .collect();
        let expected: Vec<String> = answer.to_bedrock_events().into_iter().map(|event| event.data).collect();
        assert_eq!(decoded, expected);
        assert!(decoded.last().unwrap().contains("amazon-bedrock-invocationMetrics"));
    }

    #[test]
    fn exceptions_and_errors_are_told_by_their_headers() {
        let exception = decode(exception("throttlingException", "slow down")).unwrap();
        assert_eq!(header(&exception, ":message-type"), "exception");
        assert_eq!(header(&exception, ":exception-type"), "throttlingException");
        assert_eq!(payload(&exception)["message"], "slow down");
        let error = decode(error("InternalFailure", "broken")).unwrap();
        assert_eq!(header(&error, ":error-code"), "InternalFailure");
    }

    #[test]
    fn a_corrupted_frame_is_refused_and_half_a_frame_is_incomplete() {
        let whole = chunk(r#"{"type":"message_stop"}"#);
        assert!(decode(whole.clone()).is_ok());
        assert!(decode(corrupted(&whole)).unwrap_err().contains("checksum"));
        assert_eq!(decode(whole.slice(..whole.len() - 1)).unwrap_err(), "incomplete");
    }
}
