//! The answers, checked against the shape which the Messages API documents.

use serde_json::{Value, json};

use super::*;
use crate::ServerEvent;

fn rich() -> Answer {
    Answer::text("Let me look.")
        .with_thinking("A list helps here.", "c2lnbmF0dXJl")
        .with_tool_use("toolu_01", "Bash", json!({"command": "ls", "note": "naïve"}))
        .with_usage(Usage { input: 3, output: 29, cache_read: 5, cache_creation_5m: 7, cache_creation_1h: 11 })
}

fn only<'a>(events: &'a [Value], kind: &str, inside: &str) -> Vec<&'a Value> {
    events.iter().map(|event| &event[inside]).filter(|inner| inner["type"] == kind).collect()
}

#[test]
fn the_json_answer_holds_every_block_in_order() {
    let answer: Value = serde_json::from_str(&rich().to_json()).unwrap();
    assert_eq!(answer["type"], "message");
    assert_eq!(answer["stop_reason"], "tool_use");
    let kinds: Vec<_> = answer["content"].as_array().unwrap().iter().map(|block| block["type"].clone()).collect();
    assert_eq!(kinds, ["thinking", "text", "tool_use"]);
    assert_eq!(answer["content"][2]["input"]["command"], "ls");
    assert_eq!(answer["usage"]["cache_creation_input_tokens"], 18);
    assert_eq!(answer["usage"]["cache_creation"]["ephemeral_1h_input_tokens"], 11);
    assert_eq!(answer["usage"]["output_tokens"], 29);
}

#[test]
fn an_event_is_named_as_its_type_and_begins_with_it() {
    for event in rich().to_bedrock_events() {
        assert_eq!(event.json()["type"], event.name);
        assert!(event.data.starts_with(&format!(r#"{{"type":"{}""#, event.name)), "{}", event.data);
    }
}

#[test]
fn a_stream_opens_and_closes_each_block_and_itself() {
    let names: Vec<_> = Answer::deltas(["a", "b"]).to_events().into_iter().map(|event| event.name).collect();
    assert_eq!(
        names,
        [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
}

#[test]
fn the_pieces_of_a_stream_make_the_whole() {
    let answer = rich();
    let events: Vec<_> = answer.to_events().iter().map(ServerEvent::json).collect();
    let joined = |kind: &str, field: &str| -> String {
        only(&events, kind, "delta").iter().map(|delta| delta[field].as_str().unwrap()).collect()
    };
    assert_eq!(joined("text_delta", "text"), answer.full_text());
    assert_eq!(joined("thinking_delta", "thinking"), "A list helps here.");
    assert_eq!(joined("signature_delta", "signature"), "c2lnbmF0dXJl");
    let input: Value = serde_json::from_str(&joined("input_json_delta", "partial_json")).unwrap();
    assert_eq!(input, json!({"command": "ls", "note": "naïve"}));
    assert_eq!(only(&events, "tool_use", "content_block")[0]["input"], json!({}));
}

#[test]
fn a_stream_reports_input_first_and_output_last() {
    let events: Vec<_> = rich().to_events().iter().map(ServerEvent::json).collect();
    let first = &events[0]["message"]["usage"];
    assert_eq!((&first["input_tokens"], &first["output_tokens"]), (&json!(3), &json!(1)));
    assert_eq!(events[events.len() - 2]["usage"], json!({"output_tokens": 29}));
}

#[test]
fn only_bedrock_adds_its_own_counts() {
    let counts = |events: Vec<ServerEvent>| events.last().unwrap().json()["amazon-bedrock-invocationMetrics"].clone();
    assert_eq!(counts(rich().to_events()), Value::Null);
    let metrics = counts(rich().to_bedrock_events());
    assert_eq!((&metrics["inputTokenCount"], &metrics["cacheWriteInputTokenCount"]), (&json!(3), &json!(18)));
}

#[test]
fn an_error_has_anthropics_shape() {
    let error: Value = serde_json::from_str(&error_json("overloaded_error", "busy \"now\"")).unwrap();
    assert_eq!(error["type"], "error");
    assert_eq!(error["error"], json!({"type": "overloaded_error", "message": "busy \"now\""}));
}
