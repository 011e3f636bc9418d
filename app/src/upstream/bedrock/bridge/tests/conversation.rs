//! Messages, the system prompt and cache markers.

use super::*;

/// B-06: `scope` goes at any depth, `type` and `ttl` stay; what tools are called with, and their schemas, is not touched.
#[test]
fn the_scope_of_cache_control_goes_at_any_depth() {
    let marker = json!({"type": "ephemeral", "scope": "global", "ttl": "1h"});
    let fitted = json!({"type": "ephemeral", "ttl": "1h"});
    let body = |marker: &Value, other: &Value| {
        json!({"max_tokens": 1,
            "system": [{"type": "text", "text": "a", "cache_control": marker}],
            "tools": [{"name": "t", "cache_control": marker, "input_schema": {"cache_control": other}}],
            "messages": [{"role": "user", "content": [
                {"type": "tool_result", "content": [{"type": "text", "text": "x", "cache_control": marker}], "cache_control": marker},
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "cache_control": marker}]}},
                {"type": "tool_use", "input": {"cache_control": other}}]}]})
    };
    let (result, edits) = fields(&body(&marker, &marker), OPUS_5);
    assert_eq!(result, body(&fitted, &marker));
    assert_eq!(edits, ["cache_control.scope"]);
}

/// B-05: an hour of caching is kept, its beta is not.
#[test]
fn one_hour_of_caching_needs_no_beta() {
    let body =
        r#"{"max_tokens":1,"system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}]}"#;
    let (result, edits) = with_betas(body, OPUS_5, "extended-cache-ttl-2025-04-11,prompt-caching-2024-07-31");
    assert!(result.contains(r#""ttl":"1h""#) && !result.contains("anthropic_beta"), "{result}");
    assert_eq!(edits, [] as [&str; 0]);
}

/// B-20: a model from before loses the time to live and nothing else.
#[test]
fn models_without_one_hour_get_the_marker_without_it() {
    let body = json!({"max_tokens": 1, "system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]});
    let (result, edits) = fields(&body, HAIKU_3_5);
    assert_eq!(result["system"][0]["cache_control"], json!({"type": "ephemeral"}));
    assert_eq!(edits, ["cache_control.ttl"]);
    assert_eq!(fields(&body, SONNET_4_5).0, body);
}

/// B-17: Anthropic's billing block is not Bedrock's; everything else in the system prompt is.
#[test]
fn the_billing_block_stays_behind() {
    let billing = json!({"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.330.440; cch=00000;"});
    let text = json!({"type": "text", "text": "It says x-anthropic-billing-header: inside."});
    let (result, edits) = fields(&json!({"max_tokens": 1, "system": [billing, text]}), OPUS_5);
    assert_eq!(result["system"], json!([text]));
    assert_eq!(edits, ["system.x-anthropic-billing-header"]);
    for system in [json!([billing]), billing["text"].clone()] {
        assert_eq!(fields(&json!({"max_tokens": 1, "system": system}), OPUS_5).0, json!({"max_tokens": 1}));
    }
    let plain = json!({"max_tokens": 1, "system": "a plain text"});
    assert_eq!(fields(&plain, OPUS_5).0, plain);
}

/// B-34: messages of the system stay in their place; a model that has none hears the user say it.
#[test]
fn messages_of_the_system_are_not_hoisted() {
    let body = json!({"max_tokens": 1, "messages": [{"role": "user", "content": "a"}, {"role": "system", "content": "b"},
        {"content": [{"type": "tool_addition", "name": "t"}], "role": "system"}, {"role": "assistant", "content": "c"}]});
    assert_eq!(fields(&body, OPUS_5), (body.clone(), vec![]));
    let (result, edits) = fields(&body, OPUS_4_6);
    let roles: Vec<_> = result["messages"].as_array().unwrap().iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["user", "user", "user", "assistant"]);
    assert_eq!(result["messages"][1]["content"], "b");
    assert_eq!(edits, ["messages.role=system->user"]);
}

/// A message that only carries a configuration is not left behind empty.
#[test]
fn a_message_without_content_goes_with_its_configuration() {
    let user = r#"{"role":"user","content":"a"}"#;
    for content in [r#""content":[ ],"#, r#""content":[],"#, ""] {
        let only = format!(r#"{{"role":"system",{content}"output_config":{{"effort":"low"}}}}"#);
        let (result, edits) = bridged(&format!(r#"{{"messages":[{user},{only}],"max_tokens":1}}"#), OPUS_5);
        assert!(result.starts_with(&format!(r#"{{"messages":[{user}],"max_tokens":1"#)), "{result}");
        assert_eq!(edits, ["messages.output_config"]);
    }
}

/// B-18: a marker for the whole request stays for models that find its place themselves; for others it is put there.
#[test]
fn an_automatic_marker_finds_its_place() {
    let ephemeral = json!({"type": "ephemeral"});
    let body = |content: Value| json!({"max_tokens": 1, "cache_control": {"type": "ephemeral", "scope": "x"}, "messages": [{"role": "user", "content": content}]});
    let text = json!({"type": "text", "text": "b"});
    let (result, _) = fields(&body(json!([text])), OPUS_5);
    assert_eq!((&result["cache_control"], &result["messages"][0]["content"]), (&ephemeral, &json!([text])));
    let marked = json!({"type": "text", "text": "b", "cache_control": ephemeral});
    for (content, expected) in [
        (json!([{"type": "text", "text": "a"}, text]), json!([{"type": "text", "text": "a"}, marked])),
        (json!("b"), json!([marked])),
        (json!(""), json!("")),
        (json!([marked]), json!([marked])),
        (
            json!([{"type": "thinking", "thinking": "", "signature": "x"}]),
            json!([{"type": "thinking", "thinking": "", "signature": "x"}]),
        ),
    ] {
        let (result, edits) = fields(&body(content), OPUS_4_6);
        assert_eq!((&result["cache_control"], &result["messages"][0]["content"]), (&Value::Null, &expected));
        assert_eq!(edits, ["cache_control->messages.cache_control"]);
    }
}

/// B-18: its time to live goes with it where the model takes one; of two there is one.
#[test]
fn an_automatic_marker_keeps_its_time_to_live() {
    let marker = r#""cache_control":{"type":"ephemeral","ttl":"1h"}"#;
    let body = format!(r#"{{"max_tokens":1,{marker},{marker},"messages":[{{"role":"user","content":"hi"}}]}}"#);
    for (model, expected) in
        [(OPUS_4_6, json!({"type": "ephemeral", "ttl": "1h"})), (HAIKU_3_5, json!({"type": "ephemeral"}))]
    {
        let result = without_added(&bridged(&body, model).0);
        let content = json!([{"type": "text", "text": "hi", "cache_control": expected}]);
        assert_eq!((result.get("cache_control"), &result["messages"][0]["content"]), (None, &content));
    }
}

/// B-19: a fifth marker would fail the request, so none is added to four.
#[test]
fn no_marker_is_added_beyond_four() {
    let marked = json!({"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}});
    let body = json!({"max_tokens": 1, "cache_control": {"type": "ephemeral"}, "system": [marked, marked],
        "messages": [{"role": "user", "content": [marked, marked]}, {"role": "user", "content": "end"}]});
    let (result, _) = fields(&body, OPUS_4_6);
    assert_eq!((&result["messages"][1]["content"], &result["cache_control"]), (&json!("end"), &Value::Null));
}

/// B-21: empty texts and contents are the client's; only what the bridge itself has emptied is filled.
#[test]
fn empty_blocks_of_the_client_are_left_to_it() {
    let body = json!({"max_tokens": 1, "messages": [{"role": "user", "content": []}, {"role": "assistant", "content": [{"type": "text", "text": ""}]}]});
    assert_eq!(fields(&body, OPUS_5), (body.clone(), vec![]));
}

/// B-22: a history with tools needs no tools in the request, and results stay where they are.
#[test]
fn a_history_of_tools_passes_without_tools() {
    let body = json!({"max_tokens": 1, "messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "n", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "u", "content": []}]}]});
    assert_eq!(fields(&body, OPUS_5), (body.clone(), vec![]));
}

/// Keys are compared as what they mean, and cuts inside of cuts are one.
#[test]
fn escaped_keys_and_nested_cuts_are_understood() {
    let body = r#"{"mod\u0065l":"m","system":[{"cache_control":{"\u0073cope":"global","type":"x"}}],"max_tokens":1}"#;
    let (result, _) = bridged(body, OPUS_5);
    assert!(result.starts_with(r#"{"system":[{"cache_control":{"type":"x"}}],"max_tokens":1,"#), "{result}");
    let nested = r#"{"max_tokens":1,"thinking":{"type":"adaptive","display":{"cache_control":{"scope":"x"}}},
        "messages":[{"output_config":{"cache_control":{"scope":"z"}},"role":"user"}]}"#;
    let (result, _) = bridged(nested, OPUS_4_6);
    assert_eq!(
        without_added(&result),
        json!({"max_tokens": 1, "thinking": {"type": "adaptive"}, "messages": [{"role": "user"}]})
    );
}
