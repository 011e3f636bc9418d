//! An answer of 200 events, as the plan streams it and as Bedrock does; the texts are made up.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

/// Events of Bedrock; the plan sends a ping more.
pub(super) const EVENTS: usize = 200;
const WORDS: [&str; 8] = [" the", " stream", " of", " \"events\"", ",\n", " read", " where", " it ends."];
/// What Bedrock pads its frames with.
const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The events of the plan, each as the piece in which it comes.
pub(super) fn of_plan() -> Vec<Bytes> {
    let mut events = events();
    events.insert(2, json!({"type": "ping"}));
    let name = |event: &Value| event["type"].as_str().unwrap_or_default().to_owned();
    events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", name(event)).into()).collect()
}

/// The frames of Bedrock, one an event.
pub(super) fn of_bedrock() -> Vec<Bytes> {
    let mut events = events();
    if let Some(stop) = events.last_mut() {
        stop["amazon-bedrock-invocationMetrics"] = json!({
            "inputTokenCount": 12, "outputTokenCount": 550, "cacheReadInputTokenCount": 40_000, "cacheWriteInputTokenCount": 1200,
            "invocationLatency": 2345, "firstByteLatency": 678,
        });
    }
    events.iter().map(frame).collect()
}

/// The events that carry counts.
pub(super) fn with_counts() -> Vec<Vec<u8>> {
    let counts = |event: &Value| event.to_string().contains("\"usage\"");
    events().into_iter().filter(counts).map(|event| event.to_string().into_bytes()).collect()
}

fn events() -> Vec<Value> {
    let usage = json!({
        "input_tokens": 12, "cache_creation_input_tokens": 1200, "cache_read_input_tokens": 40_000,
        "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 1000},
        "output_tokens": 1, "service_tier": "standard",
    });
    let message = json!({
        "id": "msg_0123456789abcdefghij", "type": "message", "role": "assistant", "model": "claude-opus-5-5",
        "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage,
    });
    let text = json!({"type": "text", "text": ""});
    let tool = json!({"type": "tool_use", "id": "toolu_0123456789abcdefghij", "name": "Edit", "input": {}});
    let block = |index, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let end = |index| json!({"type": "content_block_stop", "index": index});
    let delta = |index, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let word = |number: usize| WORDS[number % WORDS.len()].repeat(1 + number % 3);

    let deltas = EVENTS - 7;
    let in_text = deltas * 2 / 3;
    let mut events = vec![json!({"type": "message_start", "message": message}), block(0, text)];
    events.extend((0..in_text).map(|n| delta(0, json!({"type": "text_delta", "text": word(n)}))));
    events.extend([end(0), block(1, tool)]);
    events.extend(
        (in_text..deltas)
            .map(|n| delta(1, json!({"type": "input_json_delta", "partial_json": json!(word(n)).to_string()}))),
    );
    let reason = json!({"stop_reason": "tool_use", "stop_sequence": null});
    events.extend([
        end(1),
        json!({"type": "message_delta", "delta": reason, "usage": {"output_tokens": 550}}),
        json!({"type": "message_stop"}),
    ]);
    events
}

fn frame(event: &Value) -> Bytes {
    let event = event.to_string();
    let payload = json!({"bytes": STANDARD.encode(&event), "p": &PADDING[..event.len() % PADDING.len()]}).to_string();
    let headers = [(":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event")];
    let headers = headers.map(|(name, value)| Header::new(name, HeaderValue::String(value.to_owned().into()))).into();
    let mut bytes = Vec::new();
    write_message_to(&Message::new_from_parts(headers, payload), &mut bytes).expect("a small frame");
    bytes.into()
}
