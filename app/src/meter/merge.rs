//! Merges the counts of one answer: the largest value of each field that any of its parts named.

use crate::domain::TokenUsage;
use crate::wire::json::{self, Member};

/// Longest id that is kept of an answer.
const ID_CHARS: usize = 128;
/// Longest name of a model that is kept.
const MODEL_CHARS: usize = 256;

/// The counts of an answer so far. Memory does not grow with the answer.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct UsageMerge {
    /// What the events say, or the message itself.
    named: TokenUsage,
    /// What Bedrock's own metrics say.
    measured: TokenUsage,
    /// Characters of the answer that have been relayed.
    characters: u64,
    /// Whether the output was counted when it was over.
    is_final: bool,
    /// `message.id`
    message_id: Option<String>,
    /// `message.model`
    model: Option<String>,
}

/// Where counts stand. Providers place them differently: the cache's in `message_start` here, in `message_delta`
/// there, and Bedrock's own metrics in the last event.
const USAGE: &[(&str, Field)] = &[
    ("input_tokens", |tokens| &mut tokens.input),
    ("output_tokens", |tokens| &mut tokens.output),
    ("cache_read_input_tokens", |tokens| &mut tokens.cache_read),
    ("cache_creation_input_tokens", |tokens| &mut tokens.cache_creation),
];
const CACHE_CREATION: &[(&str, Field)] = &[
    ("ephemeral_5m_input_tokens", |tokens| &mut tokens.cache_creation_5m),
    ("ephemeral_1h_input_tokens", |tokens| &mut tokens.cache_creation_1h),
];
const SERVER_TOOL_USE: &[(&str, Field)] = &[("web_search_requests", |tokens| &mut tokens.web_search_requests)];
const METRICS: &[(&str, Field)] = &[
    ("inputTokenCount", |tokens| &mut tokens.input),
    ("outputTokenCount", |tokens| &mut tokens.output),
    ("cacheReadInputTokenCount", |tokens| &mut tokens.cache_read),
    ("cacheWriteInputTokenCount", |tokens| &mut tokens.cache_creation),
];

/// A count that a name stands for.
type Field = fn(&mut TokenUsage) -> &mut u32;

impl UsageMerge {
    /// Takes in an event that can carry counts, or a whole message. Each value is read for itself: one that cannot be
    /// read costs no other.
    pub fn observe(&mut self, json: &[u8]) {
        let Some(event) = Object::at(json, 0) else {
            tracing::warn!("the counts of an event could not be read");
            return;
        };
        let message = event.object("message");
        for object in message.iter().chain([&event]) {
            if let Some(usage) = object.object("usage") {
                raise(&mut self.named, &usage, USAGE);
                for (name, fields) in [("cache_creation", CACHE_CREATION), ("server_tool_use", SERVER_TOOL_USE)] {
                    if let Some(parts) = usage.object(name) {
                        raise(&mut self.named, &parts, fields);
                    }
                }
            }
        }
        // At the beginning of a stream the output is counted too, as it stands then: inside of `message`.
        self.is_final |= event.object("usage").is_some_and(|usage| usage.count("output_tokens").is_some());
        if let Some(metrics) = event.object("amazon-bedrock-invocationMetrics") {
            raise(&mut self.measured, &metrics, METRICS);
            self.is_final |= metrics.count("outputTokenCount").is_some();
        }
        let message = message.as_ref().unwrap_or(&event);
        for (name, kept, longest) in [("id", &mut self.message_id, ID_CHARS), ("model", &mut self.model, MODEL_CHARS)] {
            if kept.is_none() {
                let text = message.text(name);
                *kept = text.map(|text| text.chars().filter(|c| !c.is_control()).take(longest).collect());
            }
        }
    }

    /// So many characters of the answer have been relayed.
    pub fn wrote(&mut self, characters: u64) {
        self.characters += characters;
    }

    /// The counts.
    pub fn tokens(&self) -> TokenUsage {
        let (mut tokens, mut measured) = (self.named, self.measured);
        for (_, field) in METRICS {
            let largest = *field(&mut tokens).max(field(&mut measured));
            *field(&mut tokens) = largest;
        }
        tokens
    }

    /// Whether the output was counted when it was over. What was counted before then is less than what is billed.
    pub fn is_final(&self) -> bool {
        self.is_final
    }

    /// Characters of the answer that have been relayed.
    pub fn characters(&self) -> u64 {
        self.characters
    }

    /// The answer's own id.
    pub fn message_id(&self) -> Option<&str> {
        self.message_id.as_deref()
    }

    /// The model that the answer names.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Whether Bedrock's own metrics say otherwise than the events. A zero says nothing: some fields come in one place only.
    pub fn is_contradictory(&self) -> bool {
        let (mut named, mut measured) = (self.named, self.measured);
        METRICS
            .iter()
            .map(|(_, field)| (*field(&mut named), *field(&mut measured)))
            .any(|(a, b)| a != b && a > 0 && b > 0)
    }
}

/// An object inside of a JSON text.
struct Object<'j> {
    json: &'j [u8],
    members: Vec<Member>,
}

impl<'j> Object<'j> {
    fn at(json: &'j [u8], start: usize) -> Option<Self> {
        Some(Self { json, members: json::members(json, start)? })
    }

    fn object(&self, name: &str) -> Option<Self> {
        Self::at(self.json, json::find(self.json, &self.members, name)?.value.start)
    }

    fn text(&self, name: &str) -> Option<std::borrow::Cow<'j, str>> {
        json::string(self.json, &json::find(self.json, &self.members, name)?.value)
    }

    /// A count, in whatever notation of a number; what is none counts nothing.
    fn count(&self, name: &str) -> Option<u32> {
        let number =
            std::str::from_utf8(self.json.get(json::find(self.json, &self.members, name)?.value.clone())?).ok()?;
        // Rust reads `inf` and `+5` too, which are no numbers of JSON.
        let number = Some(number).filter(|number| number.starts_with(|c: char| c.is_ascii_digit()))?;
        let whole = number.parse::<u32>().ok();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates, which is wanted here"
        )]
        whole.or_else(|| number.parse::<f64>().ok().map(|number| number as u32))
    }
}

fn raise(tokens: &mut TokenUsage, object: &Object<'_>, fields: &[(&str, Field)]) {
    for (name, field) in fields {
        let field = field(tokens);
        *field = (*field).max(object.count(name).unwrap_or(0));
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests {
    use super::*;

    fn merged(parts: &[&str]) -> UsageMerge {
        let mut merge = UsageMerge::default();
        for part in parts {
            merge.observe(part.as_bytes());
        }
        merge
    }

    /// B-49, B-50: each field keeps its largest value, wherever it stands.
    #[test]
    fn every_part_of_a_stream_counts_once() {
        let start = r#"{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":3,"output_tokens":1,
            "cache_creation_input_tokens":12304,"cache_creation":{"ephemeral_5m_input_tokens":304,"ephemeral_1h_input_tokens":12000}}}}"#;
        let delta =
            r#"{"type":"message_delta","usage":{"output_tokens":550,"input_tokens":0,"cache_read_input_tokens":7}}"#;
        let stop = r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":3,"outputTokenCount":550,
            "cacheReadInputTokenCount":7,"cacheWriteInputTokenCount":12304}}"#;
        let searched = r#"{"type":"message_delta","usage":{"server_tool_use":{"web_search_requests":2}}}"#;
        let expected = TokenUsage {
            input: 3,
            output: 550,
            cache_read: 7,
            cache_creation: 12_304,
            cache_creation_5m: 304,
            cache_creation_1h: 12_000,
            web_search_requests: 2,
        };
        let merge = merged(&[start, searched, delta, stop]);
        assert_eq!((merge.tokens(), merge.message_id()), (expected, Some("msg_1")));
        assert_eq!(expected.total(), 12_864);
        assert_eq!(merged(&[stop]).tokens().cache_creation, 12_304);
    }

    /// B-48: the metrics are a second opinion; of two that differ the larger counts.
    #[test]
    fn the_metrics_of_bedrock_are_checked_against_the_events() {
        let delta = r#"{"usage":{"input_tokens":3,"output_tokens":550,"cache_read_input_tokens":0}}"#;
        let metrics = |counts: &str| format!(r#"{{"amazon-bedrock-invocationMetrics":{{{counts}}}}}"#);
        for (counts, contradictory, output) in [
            (r#""inputTokenCount":3,"outputTokenCount":550"#, false, 550),
            (r#""inputTokenCount":3,"outputTokenCount":551"#, true, 551),
            (r#""inputTokenCount":2,"outputTokenCount":549"#, true, 550),
            (r#""inputTokenCount":3,"outputTokenCount":0,"cacheReadInputTokenCount":40"#, false, 550),
            ("", false, 550),
        ] {
            let merge = merged(&[delta, &metrics(counts)]);
            assert_eq!((merge.is_contradictory(), merge.tokens().output), (contradictory, output), "{counts}");
            assert_eq!(merge.tokens().input, 3, "{counts}");
        }
    }

    #[test]
    fn only_what_comes_at_the_end_is_final() {
        for (part, is_final) in [
            (r#"{"type":"message_start","message":{"usage":{"input_tokens":3,"output_tokens":1}}}"#, false),
            (r#"{"type":"message_delta","usage":{"output_tokens":0}}"#, true),
            (r#"{"type":"message_delta","usage":{"input_tokens":3}}"#, false),
            (r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"outputTokenCount":9}}"#, true),
            (r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":9}}"#, false),
            (r#"{"type":"message_stop"}"#, false),
            (r#"{"id":"msg_1","usage":{"input_tokens":3,"output_tokens":1}}"#, true),
        ] {
            assert_eq!(merged(&[part]).is_final(), is_final, "{part}");
        }
    }

    #[test]
    fn a_whole_message_counts_like_a_stream() {
        let merge = merged(&[
            r#"{"id":"msg_2","type":"message","model":"m","usage":{"input_tokens":5,"output_tokens":6,"cache_read_input_tokens":null}}"#,
        ]);
        assert_eq!(merge.tokens(), TokenUsage { input: 5, output: 6, ..TokenUsage::default() });
        assert_eq!((merge.message_id(), merge.model()), (Some("msg_2"), Some("m")));
    }

    #[test]
    fn one_odd_value_costs_no_other() {
        for odd in [
            r#"{"id":7,"usage":{"input_tokens":5,"output_tokens":550.0,"cache_creation":"n/a"}}"#,
            r#"{"message":"text","usage":{"input_tokens":5,"cache_read_input_tokens":"many","output_tokens":5.5e2}}"#,
            r#"{"usage":null,"usage":{"input_tokens":5,"output_tokens":550,"cache_read_input_tokens":-3}}"#,
            r#"{"usage":{"input_tokens":5,"output_tokens":550,"cache_read_input_tokens":inf,"cache_creation_input_tokens":+3}}"#,
        ] {
            let tokens = merged(&[odd]).tokens();
            assert_eq!(tokens, TokenUsage { input: 5, output: 550, ..TokenUsage::default() }, "{odd}");
        }
    }

    #[test]
    fn nonsense_changes_nothing() {
        assert_eq!(merged(&["", "[]", "{\"usage\":7}", "{\"usage\":{\"input_tokens\":-1}}"]), UsageMerge::default());
    }
}
