//! What goes, what comes and what must stay when a body is bridged.

mod conversation;
mod fields;
mod properties;
mod refusals;
mod thinking;
mod tools;

use serde_json::{Value, json};

use super::*;

const OPUS_5: &str = "global.anthropic.claude-opus-5-5";
const OPUS_4_6: &str = "us.anthropic.claude-opus-4-6-v1";
const SONNET_4_5: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const HAIKU_3_5: &str = "us.anthropic.claude-3-5-haiku-20241022-v1:0";

/// A body and its edits for a model, with these values of `anthropic-beta`.
fn with_betas(body: &str, model: &str, betas: &str) -> (String, Vec<String>) {
    by_rules(body, betas, Rules::of(model))
}

fn by_rules(body: &str, betas: &str, rules: Rules<'_>) -> (String, Vec<String>) {
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-beta", betas.parse().unwrap());
    let bridged = bridge(body.as_bytes(), &headers, rules).unwrap();
    (String::from_utf8(bridged.body.into()).unwrap(), bridged.edits.iter().map(Edit::to_string).collect())
}

fn bridged(body: &str, model: &str) -> (String, Vec<String>) {
    with_betas(body, model, "claude-code-20250219,interleaved-thinking-2025-05-14,advanced-tool-use-2025-11-20")
}

/// The same as JSON, without the version that is always added.
fn fields(body: &Value, model: &str) -> (Value, Vec<String>) {
    let (result, edits) = bridged(&body.to_string(), model);
    (without_added(&result), edits)
}

fn without_added(body: &str) -> Value {
    let mut parsed: Value = serde_json::from_str(body).unwrap();
    for added in ["anthropic_version", "anthropic_beta"] {
        parsed.as_object_mut().unwrap().remove(added);
    }
    parsed
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
        "system": [{"type": "text", "text": "You are an agent."}],
        "tools": [{"name": "DeferredToolPlaceholder", "input_schema": {"type": "object"}, "defer_loading": true}],
        "metadata": {"user_id": "{\"device_id\":\"0\"}"},
        "max_tokens": 128_000,
        "thinking": {"type": "adaptive", "display": "omitted"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "safeguards": [{"type": "dangerous_tool_use"}],
        "output_config": {"effort": "medium"},
        "stream": true,
    });
    let betas = "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,\
        per-turn-control-2026-07-01,thinking-token-count-2026-05-13,advanced-tool-use-2025-11-20,effort-2025-11-24,\
        dangerous-tool-use-2026-09-03,thinking-display-updates-2026-08-18,afk-mode-2026-01-31";
    let (body, edits) = with_betas(&sent.to_string(), OPUS_5, betas);
    let mut expected = sent;
    let object = expected.as_object_mut().unwrap();
    for gone in ["model", "stream", "context_management"] {
        object.remove(gone);
    }
    object["messages"][1].as_object_mut().unwrap().remove("output_config");
    let betas = [
        "interleaved-thinking-2025-05-14",
        "tool-search-tool-2025-10-19",
        "afk-mode-2026-01-31",
        "thinking-token-count-2026-05-13",
        "dangerous-tool-use-2026-09-03",
        "thinking-display-updates-2026-08-18",
    ];
    object.insert("anthropic_beta".to_owned(), json!(betas));
    object.insert("anthropic_version".to_owned(), json!("bedrock-2023-05-31"));
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
    assert_eq!(edits, ["messages.output_config", "context_management"]);
}

/// B-28: cuts and insertions only; order, spacing, numbers and escapes of the rest are as they were.
#[test]
fn every_other_byte_stays_where_it_was() {
    let body =
        "{\"a\" : 1.0e+02, \"model\":\"m\",\n  \"t\":\"\\u00e9\\/\", \"max_tokens\":5 ,\"x\":[ ] ,\"stream\":true}";
    let (result, edits) = bridged(body, OPUS_5);
    let kept = "{\"a\" : 1.0e+02,\n  \"t\":\"\\u00e9\\/\", \"max_tokens\":5 ,\"x\":[ ]";
    let betas = "\"interleaved-thinking-2025-05-14\",\"tool-search-tool-2025-10-19\"";
    assert_eq!(result, format!("{kept},\"anthropic_beta\":[{betas}],\"anthropic_version\":\"bedrock-2023-05-31\"}}"));
    assert_eq!(edits, [] as [&str; 0]);
}

#[test]
fn what_is_no_request_is_refused() {
    for body in ["", "[]", "null", "{}", "{\"a\":", "{\"a\":1}x", "\u{feff}{}", "{\"messages\":[1,}"] {
        let refused = bridge(body.as_bytes(), &HeaderMap::new(), Rules::of(OPUS_5));
        assert_eq!(refused, Err(NotBridgeable::NotAnObject), "{body}");
    }
    let many = (0..2000).map(|n| format!("\"f{n}\":1")).collect::<Vec<_>>().join(",");
    let refused = bridge(format!("{{{many}}}").as_bytes(), &HeaderMap::new(), Rules::of(OPUS_5)).unwrap_err();
    assert_eq!(refused.to_string(), "the request body has more than 1024 fields");
}

/// A body that was made to be changed everywhere costs no memory without end.
#[test]
fn changes_are_bounded() {
    for (unit, part) in [
        (r#"{"strict":1}"#, "tools"),
        (r#"{"type":"mcp_toolset"}"#, "tools"),
        (r#"{"cache_control":{"scope":1}}"#, "system"),
    ] {
        let body = |count: usize| {
            format!(r#"{{"max_tokens":1,"{part}":[{{"name":"t"}}{}]}}"#, format!(",{unit}").repeat(count))
        };
        assert!(bridge(body(1000).as_bytes(), &HeaderMap::new(), Rules::of(OPUS_5)).is_ok());
        let refused = bridge(body(120_000).as_bytes(), &HeaderMap::new(), Rules::of(OPUS_5));
        assert_eq!(refused, Err(NotBridgeable::TooManyChanges), "{unit}");
    }
}

/// Nested as deeply as anybody likes, a body costs no stack.
#[test]
fn depth_is_no_obstacle() {
    for (open, close) in [("[", "]"), ("{\"content\":[", "]}"), ("{\"type\":\"tool_result\",\"content\":[", "]}")] {
        let deep = format!("{}{}", open.repeat(100_000), close.repeat(100_000));
        let body =
            format!("{{\"messages\":[{{\"role\":\"user\",\"content\":[{deep}]}}],\"x\":{deep},\"max_tokens\":1}}");
        let (result, edits) = bridged(&body, OPUS_5);
        assert!(result.starts_with(&body[..body.len() - 1]), "{open}");
        assert_eq!(edits, [] as [&str; 0]);
    }
}

/// The second dialect: the request stays what it is, for the model that serves it, and the betas come beside it.
#[test]
fn the_messages_api_of_bedrock_gets_the_request_itself() {
    let body = json!({"model": "claude-opus-5-5", "max_tokens": 7, "stream": true, "anthropic_version": "x",
        "context_management": {"edits": [{"type": "clear_thinking_20251015"}, {"type": "brand_new"}]},
        "metadata": {"user_id": "{\"session_id\":\"5b69f887-dc05\"}"}});
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-beta", "context-management-2025-06-27,claude-code-20250219".parse().unwrap());
    let rules = Rules { dialect: Dialect::Messages, ..Rules::of(OPUS_5) };
    let bridged = bridge(body.to_string().as_bytes(), &headers, rules).unwrap();
    let expected = json!({"model": OPUS_5, "max_tokens": 7, "stream": true,
        "context_management": {"edits": [{"type": "clear_thinking_20251015"}]}, "metadata": {"user_id": "5b69f887-dc05"}});
    assert_eq!(serde_json::from_slice::<Value>(&bridged.body).unwrap(), expected);
    assert_eq!(bridged.betas, ["context-management-2025-06-27"]);
    assert_eq!(bridged.dropped_betas, ["claude-code-20250219"]);
    // The form of the answer was decided without it.
    let escaped = bridge(br#"{"max_tokens":7,"\u0073tream":true}"#, &headers, rules).unwrap();
    assert_eq!(escaped.body, format!(r#"{{"max_tokens":7,"model":"{OPUS_5}"}}"#));
    let without_model = bridge(br#"{"max_tokens":7}"#, &headers, rules).unwrap();
    assert_eq!(without_model.body, format!(r#"{{"max_tokens":7,"model":"{OPUS_5}"}}"#));
}
