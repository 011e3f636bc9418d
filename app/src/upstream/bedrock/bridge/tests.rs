//! What goes, what comes and what must stay when a body is bridged.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const OPUS_5: &str = "global.anthropic.claude-opus-5-5";

fn bridged(body: &str, model: &str) -> (String, Vec<String>) {
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14".parse().unwrap());
    let Bridged { body, edits } = bridge(body.as_bytes(), &headers, Rules { model, refusals: &[] }).unwrap();
    (String::from_utf8(body.into()).unwrap(), edits.iter().map(Edit::to_string).collect())
}

#[test]
fn the_body_of_the_client_becomes_its_own_bedrock_body() {
    let sent = json!({
        "model": "claude-opus-5-5",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "say hi"}]},
            {"role": "system", "content": [{"type": "text", "text": "env", "cache_control": {"type": "ephemeral"}}],
             "output_config": {"effort": "medium"}},
        ],
        "system": [{"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.330.440;"}],
        "tools": [{"name": "DeferredToolPlaceholder", "input_schema": {"type": "object"}, "defer_loading": true}],
        "metadata": {"user_id": "{\"device_id\":\"0\"}"},
        "max_tokens": 128_000,
        "thinking": {"type": "adaptive", "display": "omitted"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "output_config": {"effort": "medium"},
        "stream": true,
    });
    let (body, dropped) = bridged(&sent.to_string(), OPUS_5);
    let mut expected = sent;
    let object = expected.as_object_mut().unwrap();
    for gone in ["model", "stream", "context_management"] {
        object.remove(gone);
    }
    object["messages"][1].as_object_mut().unwrap().remove("output_config");
    object.insert("anthropic_beta".to_owned(), json!(["interleaved-thinking-2025-05-14"]));
    object.insert("anthropic_version".to_owned(), json!("bedrock-2023-05-31"));
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
    assert_eq!(dropped, ["context_management", "messages.output_config"]);
}

#[test]
fn every_other_byte_stays_where_it_was() {
    let body = "{\"a\" : 1.0e+02, \"model\":\"m\",\n  \"t\":\"\\u00e9\\/\", \"thinking\":{\"type\":\"enabled\" , \"x\":[ ]} ,\"stream\":true}";
    let (result, dropped) = bridged(body, OPUS_5);
    let kept = "{\"a\" : 1.0e+02,\n  \"t\":\"\\u00e9\\/\", \"thinking\":{\"type\":\"enabled\" , \"x\":[ ]}";
    let added =
        ",\"anthropic_beta\":[\"interleaved-thinking-2025-05-14\"],\"anthropic_version\":\"bedrock-2023-05-31\"}";
    assert_eq!(result, format!("{kept}{added}"));
    assert!(dropped.is_empty());
}

#[test]
fn older_generations_lose_what_they_do_not_know() {
    let body = r#"{"thinking":{"type":"enabled","display":"omitted","budget_tokens":9},"output_config":{"effort":"high"},"max_tokens":1}"#;
    let (result, dropped) = bridged(body, "us.anthropic.claude-sonnet-4-5-20250929-v1:0");
    assert!(result.starts_with(r#"{"thinking":{"type":"enabled","budget_tokens":9},"max_tokens":1,"#), "{result}");
    assert_eq!(dropped, ["output_config", "thinking.display"]);
    let (result, _) = bridged(body, "us.anthropic.claude-opus-4-6-v1");
    assert!(result.contains("effort") && !result.contains("display"), "{result}");
}

/// B-06: `scope` goes at any depth, `type` and `ttl` stay; tool inputs and schemas are not touched.
#[test]
fn the_scope_of_cache_control_goes_at_any_depth() {
    let body = r#"{"system":[{"text":"a","cache_control":{"type":"ephemeral","scope":"global","ttl":"1h"}}],
        "messages":[{"role":"user","content":[{"type":"tool_result","content":[{"cache_control":{"scope":"global"}}]},
        {"type":"tool_use","input":{"cache_control":{"scope":"mine"}}}]}]}"#;
    let (result, dropped) = bridged(body, OPUS_5);
    assert!(result.contains(r#""cache_control":{"type":"ephemeral","ttl":"1h"}"#), "{result}");
    assert!(result.contains(r#"[{"cache_control":{}}]"#) && result.contains(r#"{"scope":"mine"}"#), "{result}");
    assert_eq!(dropped, ["cache_control.scope"]);
}

/// Keys are compared as what they mean, and cuts inside of cuts are one.
#[test]
fn escaped_keys_and_nested_cuts_are_understood() {
    let body = r#"{"mod\u0065l":"m","system":[{"cache_control":{"\u0073cope":"global","type":"x"}}],"a":1}"#;
    let (result, _) = bridged(body, OPUS_5);
    assert!(result.starts_with(r#"{"system":[{"cache_control":{"type":"x"}}],"a":1,"#), "{result}");
    let nested = r#"{"thinking":{"display":{"cache_control":{"scope":"x"}}},"cache_control":{"scope":"y"},
        "messages":[{"output_config":{"cache_control":{"scope":"z"}},"role":"user"}],"a":[{"cache_control":[{"scope":"w"}]}]}"#;
    let (result, _) = bridged(nested, "us.anthropic.claude-opus-4-6-v1");
    let parsed: Value = serde_json::from_str(&result).unwrap();
    assert_eq!((&parsed["thinking"], &parsed["cache_control"]), (&json!({}), &json!({})));
    assert_eq!((&parsed["messages"], &parsed["a"]), (&json!([{"role": "user"}]), &json!([{"cache_control": [{}]}])));
}

/// B-28, B-37: signatures, empty thinking and odd escapes are the same bytes afterwards.
#[test]
fn thinking_blocks_are_untouched() {
    let thinking = r#"{"type":"thinking","thinking":"","signature":"Er\/\u0041=="}"#;
    let (result, _) =
        bridged(&format!(r#"{{"messages":[{{"role":"assistant","content":[{thinking}]}}],"stream":false}}"#), OPUS_5);
    assert!(result.contains(thinking), "{result}");
}

#[test]
fn what_is_no_object_is_refused() {
    for body in ["", "[]", "null", "{}", "{\"a\":", "{\"a\":1}x", "\u{feff}{}"] {
        assert_eq!(
            bridge(body.as_bytes(), &HeaderMap::new(), Rules { model: OPUS_5, refusals: &[] }),
            Err(NotAnObject),
            "{body}"
        );
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
        Just(Value::Null)
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let name = prop_oneof![
            Just("cache_control".to_owned()),
            Just("scope".to_owned()),
            Just("output_config".to_owned()),
            Just("display".to_owned()),
            "[a-z]{1,3}"
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// B-27: fields nobody has heard of survive, and the result is JSON again.
    #[test]
    fn unknown_fields_survive(extra in any_json(), messages in any_json(), thinking in any_json(), old in any::<bool>()) {
        let model = if old { "us.anthropic.claude-opus-4-6-v1" } else { OPUS_5 };
        let body = json!({"model": "m", "some_new_field": extra, "messages": messages, "thinking": thinking, "stream": true});
        let body = body.to_string();
        let (result, _) = bridged(&body, model);
        let parsed: Value = serde_json::from_str(&result).unwrap();
        prop_assert!(parsed.get("model").is_none() && parsed.get("stream").is_none());
        prop_assert_eq!(&parsed["anthropic_version"], ANTHROPIC_VERSION);
        if !body.contains("scope") {
            prop_assert_eq!(&parsed["some_new_field"], &extra);
        }
        // Bridging what was bridged changes nothing but the two fields that are added.
        let (again, dropped) = bridged(&result, model);
        prop_assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), parsed);
        prop_assert!(dropped.is_empty());
    }
}
