//! Merges the counts of one answer: the largest value of each field that any of its parts named.

use serde::Deserialize;

use crate::domain::TokenUsage;

/// Longest id that is kept of an answer.
const ID_CHARS: usize = 128;

/// The counts of an answer so far. Memory does not grow with the answer.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct UsageMerge {
    /// The counts.
    pub tokens: TokenUsage,
    /// `message.id`
    pub message_id: Option<String>,
}

/// The parts of an event or of a whole message that count. Providers place the fields differently: the cache's in
/// `message_start` here, in `message_delta` there, and Bedrock's own metrics in the last event.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Parts {
    id: Option<String>,
    usage: Option<Usage>,
    message: Option<Message>,
    #[serde(rename = "amazon-bedrock-invocationMetrics")]
    metrics: Option<Metrics>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Message {
    id: Option<String>,
    usage: Option<Usage>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage {
    input_tokens: Option<u32>,
    output_tokens: Option<u32>,
    cache_read_input_tokens: Option<u32>,
    cache_creation_input_tokens: Option<u32>,
    cache_creation: Option<CacheCreation>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Option<u32>,
    ephemeral_1h_input_tokens: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "Bedrock's own names")]
struct Metrics {
    input_token_count: Option<u32>,
    output_token_count: Option<u32>,
    cache_read_input_token_count: Option<u32>,
    cache_write_input_token_count: Option<u32>,
}

impl UsageMerge {
    /// Takes in an event that can carry counts, or a whole message. What cannot be read changes nothing and is logged.
    pub fn observe(&mut self, json: &[u8]) {
        let parts: Parts = match serde_json::from_slice(json) {
            Ok(parts) => parts,
            Err(error) => {
                tracing::warn!(%error, "the counts of an event could not be read");
                return;
            }
        };
        let message = parts.message.unwrap_or_default();
        for usage in [message.usage, parts.usage].into_iter().flatten() {
            self.merge(&usage);
        }
        if let Some(metrics) = parts.metrics {
            raise(&mut self.tokens.input, metrics.input_token_count);
            raise(&mut self.tokens.output, metrics.output_token_count);
            raise(&mut self.tokens.cache_read, metrics.cache_read_input_token_count);
            raise(&mut self.tokens.cache_creation, metrics.cache_write_input_token_count);
        }
        if self.message_id.is_none() {
            let id = message.id.or(parts.id);
            self.message_id = id.map(|id| id.chars().filter(|c| !c.is_control()).take(ID_CHARS).collect());
        }
    }

    fn merge(&mut self, usage: &Usage) {
        raise(&mut self.tokens.input, usage.input_tokens);
        raise(&mut self.tokens.output, usage.output_tokens);
        raise(&mut self.tokens.cache_read, usage.cache_read_input_tokens);
        raise(&mut self.tokens.cache_creation, usage.cache_creation_input_tokens);
        if let Some(by_life) = &usage.cache_creation {
            raise(&mut self.tokens.cache_creation_5m, by_life.ephemeral_5m_input_tokens);
            raise(&mut self.tokens.cache_creation_1h, by_life.ephemeral_1h_input_tokens);
        }
    }
}

fn raise(field: &mut u32, value: Option<u32>) {
    *field = (*field).max(value.unwrap_or(0));
}

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
        let expected = TokenUsage {
            input: 3,
            output: 550,
            cache_read: 7,
            cache_creation: 12_304,
            cache_creation_5m: 304,
            cache_creation_1h: 12_000,
        };
        let merge = merged(&[start, delta, stop]);
        assert_eq!((merge.tokens, merge.message_id.as_deref()), (expected, Some("msg_1")));
        assert_eq!(expected.total(), 12_864);
        assert_eq!(merged(&[stop]).tokens.cache_creation, 12_304);
    }

    #[test]
    fn a_whole_message_counts_like_a_stream() {
        let merge = merged(&[
            r#"{"id":"msg_2","type":"message","usage":{"input_tokens":5,"output_tokens":6,"cache_read_input_tokens":null}}"#,
        ]);
        assert_eq!(merge.tokens, TokenUsage { input: 5, output: 6, ..TokenUsage::default() });
        assert_eq!(merge.message_id.as_deref(), Some("msg_2"));
    }

    #[test]
    fn nonsense_changes_nothing() {
        assert_eq!(merged(&["", "[]", "{\"usage\":7}", "{\"usage\":{\"input_tokens\":-1}}"]), UsageMerge::default());
    }
}
