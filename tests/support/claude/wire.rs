//! The Messages API's own JSON, as types that are only ever written: field names, order and nesting are Anthropic's.

use serde::Serialize;
use serde_json::Value;

use super::{REQUEST_ID, Usage};
use crate::sse::ServerEvent;

/// An event of a stream.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Event<'a> {
    MessageStart {
        message: Message<'a>,
    },
    ContentBlockStart {
        index: usize,
        content_block: Block<'a>,
    },
    ContentBlockDelta {
        index: usize,
        delta: Delta<'a>,
    },
    ContentBlockStop {
        index: usize,
    },
    MessageDelta {
        delta: MessageChange<'a>,
        usage: OutputTokens,
    },
    MessageStop {
        #[serde(rename = "amazon-bedrock-invocationMetrics", skip_serializing_if = "Option::is_none")]
        metrics: Option<InvocationMetrics>,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Thinking { thinking: &'a str, signature: &'a str },
    Text { text: &'a str },
    ToolUse { id: &'a str, name: &'a str, input: &'a Value },
}

#[derive(Serialize)]
#[serde(tag = "type")]
pub(super) enum Delta<'a> {
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
}

#[derive(Serialize)]
pub(super) struct MessageChange<'a> {
    pub(super) stop_reason: &'a str,
    pub(super) stop_sequence: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct OutputTokens {
    pub(super) output_tokens: u64,
}

#[derive(Serialize)]
pub(super) struct Message<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<Block<'a>>,
    stop_reason: Option<&'a str>,
    stop_sequence: Option<&'a str>,
    usage: UsageReport,
}

#[derive(Serialize)]
struct UsageReport {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation: CacheCreation,
    output_tokens: u64,
    service_tier: &'static str,
}

#[derive(Serialize)]
struct CacheCreation {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

/// What Bedrock puts into the last event of a stream, beside Anthropic's own fields.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InvocationMetrics {
    input_token_count: u64,
    output_token_count: u64,
    invocation_latency: u64,
    first_byte_latency: u64,
    cache_read_input_token_count: u64,
    cache_write_input_token_count: u64,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    error: ErrorDetail<'a>,
    request_id: &'static str,
}

#[derive(Serialize)]
struct ErrorDetail<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    message: &'a str,
}

impl Event<'_> {
    pub(super) fn to_server_event(&self) -> ServerEvent {
        let name = match self {
            Event::MessageStart { .. } => "message_start",
            Event::ContentBlockStart { .. } => "content_block_start",
            Event::ContentBlockDelta { .. } => "content_block_delta",
            Event::ContentBlockStop { .. } => "content_block_stop",
            Event::MessageDelta { .. } => "message_delta",
            Event::MessageStop { .. } => "message_stop",
        };
        ServerEvent::new(name, json(self))
    }
}

impl<'a> Message<'a> {
    pub(super) fn new(
        id: &'a str,
        model: &'a str,
        content: Vec<Block<'a>>,
        stop_reason: Option<&'a str>,
        usage: Usage,
    ) -> Self {
        let usage = UsageReport {
            input_tokens: usage.input,
            cache_creation_input_tokens: usage.cache_creation_5m + usage.cache_creation_1h,
            cache_read_input_tokens: usage.cache_read,
            cache_creation: CacheCreation {
                ephemeral_5m_input_tokens: usage.cache_creation_5m,
                ephemeral_1h_input_tokens: usage.cache_creation_1h,
            },
            output_tokens: usage.output,
            service_tier: "standard",
        };
        Self { id, kind: "message", role: "assistant", model, content, stop_reason, stop_sequence: None, usage }
    }
}

impl InvocationMetrics {
    pub(super) fn of(usage: &Usage) -> Self {
        Self {
            input_token_count: usage.input,
            output_token_count: usage.output,
            invocation_latency: 1834,
            first_byte_latency: 412,
            cache_read_input_token_count: usage.cache_read,
            cache_write_input_token_count: usage.cache_creation_5m + usage.cache_creation_1h,
        }
    }
}

pub(super) fn error(kind: &str, message: &str) -> String {
    json(&ErrorBody { kind: "error", error: ErrorDetail { kind, message }, request_id: REQUEST_ID })
}

pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("these types have no keys but strings")
}
