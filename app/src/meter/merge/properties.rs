//! The merge against a model that parses: whatever the parts are, each count is the largest that any of them names.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

fn merged<'p>(parts: impl IntoIterator<Item = &'p Value>) -> UsageMerge {
    let mut merge = UsageMerge::default();
    for part in parts {
        merge.observe(part.to_string().as_bytes());
    }
    merge
}

/// The same by a parser and a maximum.
fn model(parts: &[Value]) -> TokenUsage {
    let largest = |places: &[&str]| {
        let counts = parts.iter().flat_map(|part| places.iter().filter_map(|place| part.pointer(place)));
        counts.map(count).max().unwrap_or_default()
    };
    TokenUsage {
        input: largest(&[
            "/usage/input_tokens",
            "/message/usage/input_tokens",
            "/amazon-bedrock-invocationMetrics/inputTokenCount",
        ]),
        output: largest(&[
            "/usage/output_tokens",
            "/message/usage/output_tokens",
            "/amazon-bedrock-invocationMetrics/outputTokenCount",
        ]),
        cache_read: largest(&[
            "/usage/cache_read_input_tokens",
            "/message/usage/cache_read_input_tokens",
            "/amazon-bedrock-invocationMetrics/cacheReadInputTokenCount",
        ]),
        cache_creation: largest(&[
            "/usage/cache_creation_input_tokens",
            "/message/usage/cache_creation_input_tokens",
            "/amazon-bedrock-invocationMetrics/cacheWriteInputTokenCount",
        ]),
        cache_creation_5m: largest(&[
            "/usage/cache_creation/ephemeral_5m_input_tokens",
            "/message/usage/cache_creation/ephemeral_5m_input_tokens",
        ]),
        cache_creation_1h: largest(&[
            "/usage/cache_creation/ephemeral_1h_input_tokens",
            "/message/usage/cache_creation/ephemeral_1h_input_tokens",
        ]),
        web_search_requests: largest(&[
            "/usage/server_tool_use/web_search_requests",
            "/message/usage/server_tool_use/web_search_requests",
        ]),
    }
}

/// A count as it is stored: without its fraction, and no less or more than fits.
fn count(value: &Value) -> u32 {
    let number = value.as_f64().unwrap_or_default().clamp(0.0, f64::from(u32::MAX));
    format!("{:.0}", number.floor()).parse().unwrap()
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => (0_u32..100_000).prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => (-1.0e12..1.0e12).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => "[a-z0-9\"\\\\{}é]{0,6}".prop_map(Value::from),
    ]
}

/// An object with some of these members.
fn object(members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, value)| proptest::option::weighted(0.6, value).prop_map(move |value| value.map(|v| (name, v))))
        .collect();
    let object = members.prop_map(|members| {
        Value::Object(
            members.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>(),
        )
    });
    // Where an object is expected, there may be anything.
    prop_oneof![9 => object, 1 => leaf()].boxed()
}

fn usage() -> BoxedStrategy<Value> {
    let by_life = object(vec![
        ("ephemeral_5m_input_tokens", leaf().boxed()),
        ("ephemeral_1h_input_tokens", leaf().boxed()),
        ("of_tomorrow", leaf().boxed()),
    ]);
    let tools = object(vec![("web_search_requests", leaf().boxed()), ("of_tomorrow", leaf().boxed())]);
    object(vec![
        ("input_tokens", leaf().boxed()),
        ("output_tokens", leaf().boxed()),
        ("cache_read_input_tokens", leaf().boxed()),
        ("cache_creation_input_tokens", leaf().boxed()),
        ("cache_creation", by_life),
        ("server_tool_use", tools),
    ])
}

fn part() -> BoxedStrategy<Value> {
    let metrics = object(vec![
        ("inputTokenCount", leaf().boxed()),
        ("outputTokenCount", leaf().boxed()),
        ("cacheReadInputTokenCount", leaf().boxed()),
        ("cacheWriteInputTokenCount", leaf().boxed()),
    ]);
    let id = "[a-z_é]{0,5}".prop_map(Value::from).boxed();
    object(vec![
        ("type", leaf().boxed()),
        ("id", id.clone()),
        ("usage", usage()),
        ("message", object(vec![("id", id), ("usage", usage())])),
        ("amazon-bedrock-invocationMetrics", metrics),
    ])
}

fn parts() -> impl Strategy<Value = Vec<Value>> {
    proptest::collection::vec(part(), 0..5)
}

proptest! {
    /// B-49
    #[test]
    fn each_count_is_the_largest_that_any_part_names(parts in parts()) {
        prop_assert_eq!(merged(&parts).tokens(), model(&parts));
    }

    #[test]
    fn the_order_of_the_parts_decides_nothing_and_neither_does_repetition(
        (parts, shuffled) in parts().prop_flat_map(|parts| (Just(parts.clone()), Just(parts).prop_shuffle())),
    ) {
        prop_assert_eq!(merged(&parts).tokens(), merged(&shuffled).tokens());
        prop_assert_eq!(merged(parts.iter().chain(&parts)), merged(&parts));
    }

    #[test]
    fn a_part_that_is_cut_off_counts_nothing(part in part(), at in any::<proptest::sample::Index>()) {
        let text = part.to_string();
        let mut merge = UsageMerge::default();
        merge.observe(&text.as_bytes()[..at.index(text.len())]);
        prop_assert_eq!(merge, UsageMerge::default());
    }

    #[test]
    fn bytes_that_are_anything_do_no_harm(
        part in part(), at in any::<proptest::sample::Index>(), bytes in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut text = part.to_string().into_bytes();
        let at = at.index(text.len() + 1);
        text.splice(at..(at + bytes.len() / 2).min(text.len()), bytes.iter().copied());
        let mut merge = UsageMerge::default();
        merge.observe(&bytes);
        merge.observe(&text);
        prop_assert!(merge.message_id().is_none_or(|id| id.chars().count() <= ID_CHARS));
    }
}
