//! Ways of thinking, and the thoughts of former turns.

use super::*;

/// B-28, B-37: signatures, empty thinking and odd escapes are the same bytes afterwards.
#[test]
fn thinking_blocks_are_untouched() {
    for thinking in [
        r#"{"type":"thinking","thinking":"","signature":"Er\/\u0041=="}"#,
        r#"{ "signature" : "Er==", "thinking":"a\nb" ,"type":"thinking"}"#,
        r#"{"type":"redacted_thinking","data":"EmwK"}"#,
    ] {
        let body =
            format!(r#"{{"messages":[{{"role":"assistant","content":[{thinking}]}}],"max_tokens":1,"stream":false}}"#);
        let (result, edits) = bridged(&body, OPUS_5);
        assert!(result.contains(thinking) && edits.is_empty(), "{result}");
    }
}

/// B-14: each model gets the way of thinking that it has.
#[test]
fn adaptive_and_enabled_become_each_other() {
    let newer = json!({"max_tokens": 64_000, "thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "low"}});
    let (result, edits) = fields(&newer, SONNET_4_5);
    assert_eq!(result, json!({"max_tokens": 64_000, "thinking": {"type": "enabled", "budget_tokens": 3999}}));
    assert_eq!(edits, ["output_config.effort", "thinking.type->enabled", "thinking.display"]);
    let older = json!({"max_tokens": 32_000, "thinking": {"budget_tokens": 31_999, "type": "enabled", "display": "omitted"}, "output_config": {"effort": "max"}});
    let (result, edits) = fields(&older, OPUS_5);
    let expected = json!({"max_tokens": 32_000, "thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "max"}});
    assert_eq!((result, edits), (expected, vec!["thinking.type->adaptive".to_owned()]));
    assert_eq!(
        fields(&json!({"max_tokens": 32_000, "thinking": {"type": "enabled", "budget_tokens": 31_999}}), OPUS_4_6).1,
        [] as [&str; 0]
    );
}

/// B-14: a budget is at least 1024 and less than `max_tokens`; without room for it there is no thinking.
#[test]
fn a_computed_budget_fits() {
    let of =
        |max_tokens: u64| fields(&json!({"max_tokens": max_tokens, "thinking": {"type": "adaptive"}}), SONNET_4_5).0;
    assert_eq!(of(64_000)["thinking"]["budget_tokens"], 31_999);
    assert_eq!(of(2000)["thinking"]["budget_tokens"], 1999);
    assert_eq!(of(1025)["thinking"]["budget_tokens"], 1024);
    assert_eq!(of(1024), json!({"max_tokens": 1024}));
    // Lowering max_tokens lowers the budget with it.
    let opus_4 = "anthropic.claude-opus-4-20250514-v1:0";
    let (result, edits) =
        fields(&json!({"max_tokens": 64_000, "thinking": {"type": "enabled", "budget_tokens": 60_000}}), opus_4);
    assert_eq!(result, json!({"max_tokens": 32_000, "thinking": {"type": "enabled", "budget_tokens": 31_999}}));
    assert_eq!(edits, ["max_tokens->32000", "thinking.budget_tokens->31999"]);
    // What the client itself got wrong is for it to hear.
    let wrong = json!({"max_tokens": 10, "thinking": {"type": "enabled", "budget_tokens": 60_000}});
    assert_eq!(fields(&wrong, opus_4), (wrong, vec![]));
}

/// B-16: a model that always thinks cannot be told not to, and one that never does cannot be told to. Models that do not
/// think unless they are told to are not told so either, as the client itself does it.
#[test]
fn thinking_goes_where_the_model_cannot_be_told() {
    for (kind, model, kept) in [
        ("disabled", OPUS_5, false),
        ("disabled", "global.anthropic.claude-haiku-5-5", true),
        ("disabled", OPUS_4_6, false),
        ("adaptive", HAIKU_3_5, false),
        ("enabled", HAIKU_3_5, false),
        ("brand_new", OPUS_5, true),
    ] {
        let body = json!({"max_tokens": 8000, "thinking": {"type": kind}});
        let (result, edits) = fields(&body, model);
        assert_eq!((result.get("thinking").is_some(), edits.is_empty()), (kept, kept), "{kind} {model}");
    }
}

#[test]
fn odd_thinking_is_left_to_the_model() {
    for thinking in [json!({}), json!("on"), json!(null), json!([]), json!({"type": 7, "display": "x"})] {
        let body = json!({"max_tokens": 8000, "thinking": thinking});
        assert_eq!(fields(&body, OPUS_5).0, body);
    }
}
