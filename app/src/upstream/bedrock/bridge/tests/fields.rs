//! Fields at the top of a request.

use super::*;

/// B-25: what Bedrock refuses is not sent there; what nobody knows is, and is learnt about if it is refused.
#[test]
fn extras_of_the_messages_api_stay_behind_and_unknown_fields_go_along() {
    let body = json!({"model": "m", "stream": true, "service_tier": "auto", "container": "c", "inference_geo": "us",
        "mcp_servers": [], "speed": "fast", "fallbacks": [], "betas": ["x"], "max_tokens": 7, "brand_new": {"a": 1}});
    let (result, edits) = fields(&body, OPUS_5);
    assert_eq!(result, json!({"max_tokens": 7, "brand_new": {"a": 1}}));
    assert_eq!(edits, ["betas", "container", "fallbacks", "inference_geo", "mcp_servers", "service_tier", "speed"]);
}

/// B-26: said where it was not, lowered to what the model gives, never raised.
#[test]
fn max_tokens_is_added_only_where_it_is_missing() {
    assert_eq!(fields(&json!({"messages": []}), OPUS_5).0["max_tokens"], 4096);
    assert_eq!(fields(&json!({"max_tokens": 1}), OPUS_5), (json!({"max_tokens": 1}), vec![]));
    assert_eq!(fields(&json!({"max_tokens": 128_000}), OPUS_5), (json!({"max_tokens": 128_000}), vec![]));
    let (result, edits) = fields(&json!({"max_tokens": 128_000}), HAIKU_3_5);
    assert_eq!((result, edits), (json!({"max_tokens": 8192}), vec!["max_tokens->8192".to_owned()]));
    let endless = r#"{"thinking":{"type":"enabled","budget_tokens":18446744073709551615}}"#;
    assert!(bridged(endless, SONNET_4_5).0.contains(r#""max_tokens":64000"#));
    let odd = json!({"max_tokens": "many"});
    assert_eq!(fields(&odd, OPUS_5).0, odd, "the model itself says what is wrong with it");
}

/// B-08: forwarded together with an accepted beta, edit by edit, or not at all.
#[test]
fn context_management_and_its_beta_are_never_half_a_pair() {
    let body = |edits: Value| json!({"max_tokens": 1, "context_management": {"edits": edits}}).to_string();
    let both = body(json!([{"type": "clear_thinking_20251015"}, {"type": "clear_tool_uses_20250919", "keep": 3}]));
    let asked = "context-management-2025-06-27,compact-2026-01-12";
    let (result, edits) = with_betas(&both, OPUS_4_6, asked);
    let parsed: Value = serde_json::from_str(&result).unwrap();
    assert_eq!(parsed["context_management"]["edits"], json!([{"type": "clear_tool_uses_20250919", "keep": 3}]));
    assert_eq!(parsed["anthropic_beta"], json!(["context-management-2025-06-27"]));
    assert_eq!(edits, ["context_management.edits"]);
    for (edits, model, betas) in [
        (json!([{"type": "clear_tool_uses_20250919"}]), OPUS_5, "compact-2026-01-12"),
        (json!([{"type": "clear_tool_uses_20250919"}]), HAIKU_3_5, asked),
        (json!([{"type": "clear_thinking_20251015"}]), OPUS_5, asked),
        (json!("text"), OPUS_5, asked),
        (json!([]), OPUS_5, asked),
    ] {
        let (result, dropped) = with_betas(&body(edits), model, betas);
        assert!(!result.contains("context_management") && !result.contains("anthropic_beta"), "{result}");
        assert_eq!(dropped, ["context_management"]);
    }
}

/// B-09: the effort survives where there is one; formats and budgets of tasks do not; nothing empty is left.
#[test]
fn output_config_is_fitted() {
    let body = json!({"max_tokens": 1, "output_config": {"effort": "high", "format": {"type": "json_schema"}, "task_budget": 9, "new": 1}});
    let (result, edits) = fields(&body, OPUS_4_6);
    assert_eq!(result["output_config"], json!({"effort": "high", "new": 1}));
    assert_eq!(edits, ["output_config.format", "output_config.task_budget"]);
    let (result, edits) = fields(&json!({"max_tokens": 1, "output_config": {"effort": "high"}}), SONNET_4_5);
    assert_eq!((result, edits), (json!({"max_tokens": 1}), vec!["output_config.effort".to_owned()]));
}

/// B-09: where there is no effort, no level of it and no empty object goes along.
#[test]
fn nothing_empty_and_no_unknown_level_is_left_of_output_config() {
    for config in [json!({}), json!({"effort": "ultra"}), json!({"format": {}, "effort": "low"})] {
        let body = json!({"max_tokens": 1, "output_config": config});
        assert_eq!(fields(&body, SONNET_4_5).0, json!({"max_tokens": 1}));
    }
}

/// B-10: a level that the model does not have is the next lower one, and told.
#[test]
fn an_unknown_level_of_effort_is_lowered() {
    let (result, edits) = fields(&json!({"max_tokens": 1, "output_config": {"effort": "xhigh"}}), OPUS_4_6);
    assert_eq!(result["output_config"]["effort"], "high");
    assert_eq!(edits, ["output_config.effort->high"]);
}

/// B-16: parameters that the model refuses do not reach it when it stands in for another.
#[test]
fn sampling_goes_where_the_model_has_none() {
    let body = json!({"max_tokens": 1, "temperature": 0.5, "top_p": 0.9, "top_k": 4});
    assert_eq!(
        fields(&body, OPUS_5),
        (json!({"max_tokens": 1}), vec!["temperature".to_owned(), "top_k".to_owned(), "top_p".to_owned()])
    );
    assert_eq!(fields(&body, OPUS_4_6), (body, vec![]));
}

/// B-29: the suffix is the client's notation; older models need a beta for what it means.
#[test]
fn the_long_context_suffix_becomes_the_beta_of_older_models() {
    let body = r#"{"model":"claude-sonnet-4-5[1m]","max_tokens":1}"#;
    let (result, _) = with_betas(body, SONNET_4_5, "interleaved-thinking-2025-05-14");
    assert!(!result.contains("[1m]"), "{result}");
    assert!(result.contains(r#"["context-1m-2025-08-07","interleaved-thinking-2025-05-14"]"#), "{result}");
    let (result, _) = with_betas(body, SONNET_4_5, "context-1m-2025-08-07");
    assert!(result.contains(r#"["context-1m-2025-08-07"]"#), "{result}");
    assert!(!with_betas(body, OPUS_5, "interleaved-thinking-2025-05-14").0.contains("context-1m"));
}

/// B-07: `InvokeModel` takes the id as the client sends it there itself.
#[test]
fn the_users_id_passes() {
    let body = json!({"max_tokens": 1, "metadata": {"user_id": "{\"device_id\":\"x\",\"session_id\":\"y\"}"}});
    assert_eq!(fields(&body, OPUS_5), (body, vec![]));
}

/// Auto mode's checks are never held back: without them the client refuses every action, while it mends a request that is
/// refused because of them by itself.
#[test]
fn safeguards_always_go_along() {
    let body = r#"{"max_tokens":1,"safeguards":[{"type":"dangerous_tool_use"}]}"#;
    let beta = "dangerous-tool-use-2026-09-03";
    for (model, with_beta) in [(OPUS_5, true), (SONNET_4_5, false)] {
        let (result, edits) = with_betas(body, model, beta);
        assert_eq!((result.contains("safeguards"), result.contains(beta)), (true, with_beta));
        assert_eq!(edits, [] as [&str; 0]);
    }
}
