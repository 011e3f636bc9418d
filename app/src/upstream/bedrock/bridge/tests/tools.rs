//! Tools, and the choice among them.

use super::*;

fn custom(name: &str) -> Value {
    json!({"name": name, "input_schema": {"type": "object", "strict": true, "defer_loading": 1}})
}

/// B-11: `strict` always goes; `defer_loading` and references stay or go together with tool search.
#[test]
fn strict_goes_and_deferring_needs_its_beta() {
    let mut tool = custom("t");
    tool["strict"] = json!(true);
    tool["defer_loading"] = json!(true);
    let body = json!({"max_tokens": 1, "tools": [tool, custom("u")], "messages": [{"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "x", "content": [{"type": "tool_reference", "tool_name": "mcp__\u{e9}"}]}]}]});
    let (result, edits) = fields(&body, OPUS_5);
    let mut deferred = custom("t");
    deferred["defer_loading"] = json!(true);
    assert_eq!(result["tools"], json!([deferred, custom("u")]));
    assert_eq!(result["messages"], body["messages"]);
    assert_eq!(edits, ["tools.strict"]);
    let (result, edits) = with_betas(&body.to_string(), OPUS_5, "interleaved-thinking-2025-05-14");
    let result = without_added(&result);
    assert_eq!(result["tools"], json!([custom("t"), custom("u")]));
    assert_eq!(result["messages"][0]["content"][0]["content"], json!([{"type": "text", "text": "mcp__\u{e9}"}]));
    assert_eq!(edits, ["messages.tool_reference->text", "tools.defer_loading", "tools.strict"]);
}

/// B-13: Anthropic's own tools stay behind where there are others; a request about nothing else is Bedrock's to refuse.
#[test]
fn tools_that_bedrock_does_not_run_stay_behind() {
    let search = json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 8});
    let bash = json!({"type": "bash_20250124", "name": "bash"});
    let body =
        json!({"max_tokens": 1, "tools": [search, bash, {"type": "advisor_20260301", "name": "advisor"}, custom("t")]});
    let (result, edits) = fields(&body, OPUS_5);
    assert_eq!(result["tools"], json!([bash, custom("t")]));
    assert_eq!(edits, ["tools.type=web_search_20250305", "tools.type=advisor_20260301"]);
    let forced =
        json!({"max_tokens": 1, "tools": [search, bash], "tool_choice": {"type": "auto", "name": "web_search"}});
    assert_eq!(fields(&forced, OPUS_4_6).0, json!({"max_tokens": 1, "tools": [bash]}));
    let only = json!({"max_tokens": 1, "tools": [search], "tool_choice": {"type": "auto"}});
    assert_eq!(fields(&only, OPUS_5), (only, vec![]));
}

/// B-12: the type of tool search is for models that have it.
#[test]
fn searching_tools_are_for_models_that_search() {
    let search = json!({"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"});
    let body = json!({"max_tokens": 1, "tools": [search, custom("t")]});
    assert_eq!(fields(&body, OPUS_5).0, body);
    let (result, edits) = fields(&body, "global.anthropic.claude-opus-4-7");
    assert_eq!(result["tools"], json!([custom("t")]));
    assert_eq!(edits, ["tools.type=tool_search_tool_regex_20251119"]);
}

/// B-11, B-12: what searched for deferred tools is gone, so they are told at once, wherever they stand.
#[test]
fn without_the_search_no_tool_is_deferred() {
    let mut deferred = custom("t");
    deferred["defer_loading"] = json!(true);
    let search = json!({"type": "tool_search_tool_regex_20251119", "name": "s"});
    let body = json!({"max_tokens": 1, "tools": [deferred, search, deferred]});
    let (result, edits) = fields(&body, "global.anthropic.claude-opus-4-7");
    assert_eq!(result["tools"], json!([custom("t"), custom("t")]));
    assert_eq!(edits, ["tools.type=tool_search_tool_regex_20251119", "tools.defer_loading"]);
    assert_eq!(fields(&body, OPUS_5).0, body);
}

/// The tool that remembers needs the beta of context editing without any edit.
#[test]
fn a_tool_keeps_the_beta_that_it_needs() {
    let memory = r#"{"max_tokens":1,"tools":[{"type":"memory_20250818","name":"memory"}]}"#;
    let beta = "context-management-2025-06-27";
    assert!(with_betas(memory, OPUS_5, beta).0.contains(beta));
    assert!(!with_betas(r#"{"max_tokens":1,"tools":[{"name":"memory"}]}"#, OPUS_5, beta).0.contains(beta));
}

/// A reference whose tool has no name is no reason to send an empty text, which would be refused.
#[test]
fn a_reference_without_a_name_is_still_a_text() {
    for reference in [json!({"type": "tool_reference"}), json!({"type": "tool_reference", "tool_name": 7})] {
        let body = json!({"max_tokens": 1, "messages": [{"role": "user", "content": [reference]}]});
        let (result, _) = with_betas(&body.to_string(), OPUS_5, "x");
        let content = &without_added(&result)["messages"][0]["content"];
        assert_eq!(content, &json!([{"type": "text", "text": "(a tool)"}]));
    }
}

/// B-16: a model that cannot be forced chooses itself.
#[test]
fn a_forced_choice_goes_where_the_model_cannot_be_forced() {
    for (choice, model, kept) in [
        (json!({"type": "any"}), OPUS_5, false),
        (json!({"type": "tool", "name": "t"}), OPUS_5, false),
        (json!({"type": "auto", "disable_parallel_tool_use": true}), OPUS_5, true),
        (json!({"type": "none"}), OPUS_5, true),
        (json!({"type": "any"}), OPUS_4_6, true),
        (json!("any"), OPUS_5, true),
    ] {
        let body = json!({"max_tokens": 1, "tools": [custom("t")], "tool_choice": choice});
        let (result, edits) = fields(&body, model);
        assert_eq!((result.get("tool_choice").is_some(), edits.is_empty()), (kept, kept), "{choice} {model}");
    }
}

/// B-23, B-24: names of any length, and fine-grained streaming, pass as they are.
#[test]
fn names_and_streaming_of_inputs_pass() {
    let long = format!("mcp__{}__{}", "server".repeat(20), "tool".repeat(20));
    let body = json!({"max_tokens": 1, "tools": [{"name": long, "eager_input_streaming": true, "input_schema": {}}]});
    let (result, edits) = with_betas(&body.to_string(), OPUS_5, "fine-grained-tool-streaming-2025-05-14");
    assert_eq!((without_added(&result), edits), (body, vec![]));
    assert!(result.contains(r#"["fine-grained-tool-streaming-2025-05-14"]"#));
}
