//! What Claude says, described once and written out as a Messages API answer: as JSON, or as the events of a stream.

mod stream;
mod wire;

use serde_json::Value;

use wire::{Block, Message};

/// The `request_id` in error bodies, the same as in the plan's `request-id` header.
pub const REQUEST_ID: &str = "req_011CSimulatedRequest0001";

/// One whole answer of a model.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The message id; Bedrock's begin with `msg_bdrk_`.
    pub id: String,
    /// The model which the answer names.
    pub model: String,
    /// What was thought, and the signature over it. Comes before the text.
    pub thinking: Option<(String, String)>,
    /// The text, cut into the pieces in which a stream delivers it. Empty: no text block at all.
    pub text: Vec<String>,
    /// A call of a tool: id, name and input. Comes after the text.
    pub tool_use: Option<(String, String, Value)>,
    /// Why the model stopped.
    pub stop_reason: String,
    /// The tokens that are reported.
    pub usage: Usage,
}

/// Token counts, in Anthropic's sense: `input` holds neither what was read from the cache nor what was written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Input that was neither read from the cache nor written to it.
    pub input: u64,
    /// Output, thinking included.
    pub output: u64,
    /// Input that was read from the cache.
    pub cache_read: u64,
    /// Input that was written to the cache for five minutes.
    pub cache_creation_5m: u64,
    /// Input that was written to the cache for an hour.
    pub cache_creation_1h: u64,
}

impl Answer {
    /// A plain answer, streamed word by word.
    pub fn text(text: &str) -> Self {
        Self::deltas(text.split_inclusive(' '))
    }

    /// A plain answer, streamed in exactly these pieces.
    pub fn deltas<T: Into<String>>(pieces: impl IntoIterator<Item = T>) -> Self {
        Self {
            id: "msg_01SimulatedMessage0001".to_owned(),
            model: "claude-opus-5-5".to_owned(),
            thinking: None,
            text: pieces.into_iter().map(Into::into).collect(),
            tool_use: None,
            stop_reason: "end_turn".to_owned(),
            usage: Usage { input: 11, output: 7, ..Usage::default() },
        }
    }

    /// The same with another message id.
    #[must_use]
    pub fn with_id(self, id: impl Into<String>) -> Self {
        Self { id: id.into(), ..self }
    }

    /// The same from another model.
    #[must_use]
    pub fn with_model(self, model: impl Into<String>) -> Self {
        Self { model: model.into(), ..self }
    }

    /// The same after a signed thought.
    #[must_use]
    pub fn with_thinking(self, thinking: impl Into<String>, signature: impl Into<String>) -> Self {
        Self { thinking: Some((thinking.into(), signature.into())), ..self }
    }

    /// The same with a call of a tool at its end, which is then also why the model stopped.
    #[must_use]
    pub fn with_tool_use(self, id: impl Into<String>, name: impl Into<String>, input: Value) -> Self {
        Self { tool_use: Some((id.into(), name.into(), input)), ..self }.with_stop_reason("tool_use")
    }

    /// The same with another reason to stop.
    #[must_use]
    pub fn with_stop_reason(self, stop_reason: impl Into<String>) -> Self {
        Self { stop_reason: stop_reason.into(), ..self }
    }

    /// The same with other token counts.
    #[must_use]
    pub fn with_usage(self, usage: Usage) -> Self {
        Self { usage, ..self }
    }

    /// The text in one piece.
    pub fn full_text(&self) -> String {
        self.text.concat()
    }

    /// The answer to a request that asked for no stream.
    pub fn to_json(&self) -> String {
        let text = self.full_text();
        let mut content = Vec::new();
        if let Some((thinking, signature)) = &self.thinking {
            content.push(Block::Thinking { thinking, signature });
        }
        if !text.is_empty() {
            content.push(Block::Text { text: &text });
        }
        if let Some((id, name, input)) = &self.tool_use {
            content.push(Block::ToolUse { id, name, input });
        }
        wire::json(&self.message(content, Some(&self.stop_reason), self.usage.output))
    }

    fn message<'a>(&'a self, content: Vec<Block<'a>>, stop_reason: Option<&'a str>, output: u64) -> Message<'a> {
        Message::new(&self.id, &self.model, content, stop_reason, Usage { output, ..self.usage })
    }
}

/// An error in the shape in which Anthropic answers.
pub fn error_json(kind: &str, message: &str) -> String {
    wire::error(kind, message)
}

#[cfg(test)]
mod tests;
