//! What a model has turned out to refuse does not reach it again.

use super::*;
use crate::domain::RefusalKind as Kind;

fn refused(body: &Value, kind: Kind, name: &str) -> (Value, Vec<String>) {
    let refusals = [Refusal::new(kind, name)];
    let betas = "interleaved-thinking-2025-05-14,advanced-tool-use-2025-11-20,thinking-token-count-2026-05-13,context-management-2025-06-27";
    let (result, edits) = by_rules(&body.to_string(), betas, Rules { refusals: &refusals, ..Rules::of(OPUS_5) });
    (serde_json::from_str(&result).unwrap(), edits)
}

#[test]
fn fields_go_wherever_they_stand() {
    let marker = json!({"type": "ephemeral", "ttl": "1h"});
    let body = json!({"max_tokens": 1, "brand_new": 1, "cache_control": marker,
        "system": [{"type": "text", "text": "a", "brand_new": 1, "cache_control": marker}],
        "tools": [{"name": "t", "brand_new": 1, "input_schema": {"brand_new": 1}}],
        "messages": [{"role": "user", "brand_new": 1, "content": [{"type": "text", "text": "a", "brand_new": 1}]}],
        "metadata": {"user_id": "u", "brand_new": 1}, "tool_choice": {"type": "auto", "brand_new": 1},
        "thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "high"}});
    let without = |paths: &[&str]| {
        let mut body = body.clone();
        for path in paths {
            let (parent, name) = path.rsplit_once('/').unwrap();
            assert!(body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).is_some(), "{path}");
        }
        body
    };
    for (name, gone) in [
        ("brand_new", &["/brand_new"][..]),
        ("system.brand_new", &["/system/0/brand_new"]),
        ("tools.brand_new", &["/tools/0/brand_new"]),
        ("messages.brand_new", &["/messages/0/brand_new", "/messages/0/content/0/brand_new"]),
        ("thinking.display", &["/thinking/display"]),
        ("output_config.effort", &["/output_config"]),
        ("cache_control.ttl", &["/cache_control/ttl", "/system/0/cache_control/ttl"]),
        ("thinking", &["/thinking"]),
        ("metadata.brand_new", &["/metadata/brand_new"]),
        ("tool_choice.brand_new", &["/tool_choice/brand_new"]),
        ("messages", &[]),
        ("nobody_has_it", &[]),
    ] {
        let (mut result, edits) = refused(&body, Kind::Field, name);
        for added in ["anthropic_version", "anthropic_beta"] {
            result.as_object_mut().unwrap().remove(added);
        }
        assert_eq!(result, without(gone), "{name}");
        assert_eq!(edits, if gone.is_empty() { vec![] } else { vec![name.to_owned()] });
    }
}

#[test]
fn betas_values_and_types_are_left_out() {
    let body = json!({"max_tokens": 20_000, "thinking": {"type": "adaptive"}, "output_config": {"effort": "max"},
        "tools": [{"type": "bash_20250124", "name": "bash"}, {"name": "t", "defer_loading": true}], "tool_choice": {"type": "none"}});
    let (result, edits) = refused(&body, Kind::Beta, "tool-search-tool-2025-10-19");
    assert_eq!(result["anthropic_beta"], json!(["interleaved-thinking-2025-05-14", "thinking-token-count-2026-05-13"]));
    assert_eq!((&result["tools"][1], &edits[..]), (&json!({"name": "t"}), &["tools.defer_loading".to_owned()][..]));
    assert_eq!(refused(&body, Kind::Effort, "max").0["output_config"]["effort"], "xhigh");
    assert_eq!(refused(&body, Kind::ThinkingType, "adaptive").0.get("thinking"), None);
    assert_eq!(refused(&body, Kind::ToolType, "bash_20250124").0["tools"].as_array().unwrap().len(), 1);
    assert_eq!(refused(&body, Kind::ToolChoice, "none").0.get("tool_choice"), None);
    let editing = json!({"max_tokens": 1, "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}});
    assert!(refused(&editing, Kind::Beta, "x").0.get("context_management").is_some());
    let (result, _) = refused(&editing, Kind::Field, "context_management");
    assert!(result.get("context_management").is_none());
    assert!(!result["anthropic_beta"].as_array().unwrap().contains(&json!("context-management-2025-06-27")));
}

/// B-07: an id that does not fit becomes its session's.
#[test]
fn a_users_id_that_was_refused_is_fitted() {
    let body = json!({"max_tokens": 1, "metadata": {"user_id": "{\"session_id\":\"s-1\"}", "x": 1}});
    let (result, edits) = refused(&body, Kind::Field, "metadata.user_id");
    assert_eq!(
        (&result["metadata"], &edits[..]),
        (&json!({"user_id": "s-1", "x": 1}), &["metadata.user_id->session_id".to_owned()][..])
    );
    let body = json!({"max_tokens": 1, "metadata": {"user_id": "{}"}});
    assert_eq!(refused(&body, Kind::Field, "metadata.user_id").0.get("metadata"), None);
}

/// B-35: thoughts that this account did not sign go, and nothing else of the turn; no message is left empty.
#[test]
fn thinking_blocks_go_when_they_were_refused() {
    let body = json!({"max_tokens": 20_000, "thinking": {"type": "adaptive"}, "messages": [
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "s"}, {"type": "text", "text": "a"}, {"type": "redacted_thinking", "data": "d"}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "s"}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]}]});
    let refusals = [Refusal::new(Kind::ThinkingBlocks, "")];
    let bridged =
        bridge(body.to_string().as_bytes(), &HeaderMap::new(), Rules { refusals: &refusals, ..Rules::of(OPUS_5) })
            .unwrap();
    let result: Value = serde_json::from_slice(&bridged.body).unwrap();
    assert_eq!(result["messages"][0]["content"], json!([{"type": "text", "text": "a"}]));
    assert_eq!(result["messages"][1]["content"], json!([{"type": "text", "text": "(left out)"}]));
    assert_eq!((&result["messages"][2], &result["thinking"]), (&body["messages"][2], &body["thinking"]));
    assert_eq!(bridged.edits, [Edit::ThinkingDropped(3)]);
    // Older models want a thought at the beginning of a turn that is under way, so they go on without thinking.
    let mut older = body;
    older["thinking"] = json!({"type": "enabled", "budget_tokens": 5000});
    let (result, edits) = by_rules(&older.to_string(), "x", Rules { refusals: &refusals, ..Rules::of(OPUS_4_6) });
    assert!(!result.contains("budget_tokens") && edits.contains(&"thinking".to_owned()), "{result}");
    // B-36: the same where the turn has begun without a thought, which is what the model complains of.
    older["messages"].as_array_mut().unwrap().drain(..2);
    let (result, edits) = by_rules(&older.to_string(), "x", Rules { refusals: &refusals, ..Rules::of(OPUS_4_6) });
    assert!(!result.contains("budget_tokens") && edits == ["thinking"], "{result}");
}
