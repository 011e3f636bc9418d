//! What holds for every body.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::domain::RefusalKind;

/// Names and values that mean something to the bridge, in places where they may or may not.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "text",
        "thinking",
        "redacted_thinking",
        "tool_result",
        "tool_reference",
        "tool_use",
        "adaptive",
        "enabled",
        "disabled",
        "user",
        "assistant",
        "system",
        "ephemeral",
        "1h",
        "max",
        "xhigh",
        "web_search_20250305",
        "bash_20250124",
        "any",
        "tool",
        "clear_thinking_20251015",
        "clear_tool_uses_20250919",
        "x-anthropic-billing-header: x",
        "\u{1f980}\"\\\n",
        "",
    ]);
    let leaf = prop_oneof![
        word.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_u64..200_000).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
        Just(Value::Null),
    ];
    let name = prop_oneof![
        4 => prop::sample::select(vec![
            "type", "role", "content", "cache_control", "scope", "ttl", "output_config", "effort", "format", "display", "text",
            "budget_tokens", "edits", "user_id", "strict", "defer_loading", "name", "tool_name", "input", "input_schema",
        ]).prop_map(str::to_owned),
        1 => "[a-z]{1,3}".prop_map(String::from),
    ];
    leaf.prop_recursive(5, 48, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A body with the usual fields, each with anything in it.
fn any_body() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "max_tokens",
        "metadata",
        "stream",
        "context_management",
        "cache_control",
        "safeguards",
        "temperature",
        "service_tier",
        "anthropic_beta",
        "brand_new",
    ]);
    prop::collection::btree_map(name.prop_map(str::to_owned), any_json(), 1..10)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

fn any_rules() -> impl Strategy<Value = (&'static str, Vec<Refusal>, Dialect)> {
    let model = prop::sample::select(vec![OPUS_5, OPUS_4_6, SONNET_4_5, HAIKU_3_5, "global.anthropic.claude-opus-4-7"]);
    let refusal = prop::sample::select(vec![
        Refusal::new(RefusalKind::ThinkingBlocks, ""),
        Refusal::new(RefusalKind::Field, "messages.text"),
        Refusal::new(RefusalKind::Field, "tools.name"),
        Refusal::new(RefusalKind::Field, "cache_control.ttl"),
        Refusal::new(RefusalKind::Field, "brand_new"),
        Refusal::new(RefusalKind::Beta, "*"),
        Refusal::new(RefusalKind::Effort, "max"),
        Refusal::new(RefusalKind::ThinkingType, "adaptive"),
    ]);
    (model, prop::collection::vec(refusal, 0..3), prop::sample::select(vec![Dialect::Invoke, Dialect::Messages]))
}

const BETAS: &str =
    "interleaved-thinking-2025-05-14,advanced-tool-use-2025-11-20,context-management-2025-06-27,context-1m-2025-08-07";

/// Names whose values the bridge may touch, anywhere.
const NAMED: &[&str] = &[
    "scope",
    "ttl",
    "cache_control",
    "output_config",
    "display",
    "type",
    "content",
    "edits",
    "user_id",
    "strict",
    "defer_loading",
    "tool_name",
    "role",
    "text",
    "name",
];

fn names_nothing(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(names_nothing),
        Value::Object(map) => map.iter().all(|(name, value)| !NAMED.contains(&name.as_str()) && names_nothing(value)),
        _ => true,
    }
}

/// JSON as nobody writes it and everybody has to read it: white space, escapes in keys, members twice.
fn written(value: &Value, seed: &mut u64, out: &mut String) {
    let mut dice = |sides: u64| {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % sides
    };
    let space = [" ", "", "\n", "\t ", ""][usize::try_from(dice(5)).unwrap()];
    out.push_str(space);
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                written(item, seed, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let twice = if dice(4) == 0 { 2 } else { 1 };
            let escaped = dice(3) == 0;
            out.push('{');
            for (index, (name, value)) in std::iter::repeat_n(map, twice).flatten().enumerate() {
                out.push_str(if index > 0 { " ," } else { "" });
                match (escaped, name.chars().next()) {
                    (true, Some(first)) if first.is_ascii_lowercase() => {
                        write!(out, "\"\\u{:04x}{}\" :", u32::from(first), &name[1..]).unwrap();
                    }
                    _ => write!(out, "{}:", Value::from(name.as_str())).unwrap(),
                }
                written(value, seed, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
    out.push_str(space);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// The same for bodies with white space, escaped names and members that come twice.
    #[test]
    fn oddly_written_bodies_become_json(body in any_body(), (model, refusals, dialect) in any_rules(), seed in any::<u64>()) {
        let rules = Rules { refusals: &refusals, dialect, ..Rules::of(model) };
        let (mut text, mut seed) = (String::new(), seed);
        written(&body, &mut seed, &mut text);
        let (once, _) = by_rules(&text, BETAS, rules);
        prop_assert!(serde_json::from_str::<Value>(&once).is_ok(), "{} from {}", once, text);
        let (twice, _) = by_rules(&once, BETAS, rules);
        prop_assert_eq!(serde_json::from_str::<Value>(&twice).unwrap(), serde_json::from_str::<Value>(&once).unwrap());
    }

    /// The result is JSON again, and bridging it again changes nothing.
    #[test]
    fn the_result_is_json_and_final(body in any_body(), (model, refusals, dialect) in any_rules()) {
        let rules = Rules { refusals: &refusals, dialect, ..Rules::of(model) };
        let (once, _) = by_rules(&body.to_string(), BETAS, rules);
        let parsed: Value = serde_json::from_str(&once).unwrap();
        let (twice, edits) = by_rules(&once, BETAS, rules);
        prop_assert_eq!(serde_json::from_str::<Value>(&twice).unwrap(), parsed, "{:?}", edits);
    }

    /// B-27: fields that the bridge does not name are the same bytes afterwards, wherever they stand.
    #[test]
    fn what_is_not_named_survives_byte_for_byte(extra in any_json(), model in prop::sample::select(vec![OPUS_5, HAIKU_3_5])) {
        let extra = extra.to_string();
        let body = format!("{{\"model\":\"m\",\"some_new_field\": {extra} ,\"max_tokens\":1,\"stream\":true}}");
        let (result, edits) = bridged(&body, model);
        let kept = format!("{{\"some_new_field\": {extra} ,\"max_tokens\":1");
        prop_assert!(result.starts_with(&kept), "{}", result);
        prop_assert_eq!(edits, [] as [&str; 0]);
        // Inside of the conversation only what is named may change.
        if names_nothing(&serde_json::from_str(&extra).unwrap()) {
            let body = format!("{{\"messages\":[{{\"new\":{extra},\"role\":\"user\",\"content\":[{{\"new\" :{extra}}}]}}],\"max_tokens\":1}}");
            let (result, edits) = bridged(&body, model);
            prop_assert!(result.starts_with(&body[..body.len() - 1]), "{}", result);
            prop_assert_eq!(edits, [] as [&str; 0]);
        }
    }

    /// A body that was damaged anywhere is refused or bridged into JSON; it never ends the process.
    #[test]
    fn damaged_bodies_do_no_harm(body in any_body(), cut in any::<prop::sample::Index>(), byte in any::<u8>(), insert in any::<bool>()) {
        let mut bytes = body.to_string().into_bytes();
        let at = cut.index(bytes.len());
        if insert { bytes.insert(at, byte) } else { bytes[at] = byte }
        for rules in [Rules::of(OPUS_5), Rules::of(HAIKU_3_5)] {
            if let Ok(bridged) = bridge(&bytes, &HeaderMap::new(), rules) {
                prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&bridged.body).is_ok());
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = bridge(&bytes, &HeaderMap::new(), Rules::of(OPUS_5));
    }
}
