//! An answer as the events of a stream, from Anthropic and from Bedrock.

use std::sync::LazyLock;

use serde_json::Value;

use super::Answer;
use super::wire::{Block, Delta, Event, InvocationMetrics, MessageChange, OutputTokens};
use crate::sse::ServerEvent;

/// The input with which a tool's block begins; the real one follows in pieces.
static NO_INPUT: LazyLock<Value> = LazyLock::new(|| Value::Object(serde_json::Map::new()));

impl Answer {
    /// The events of a stream as Anthropic sends them, from `message_start` to `message_stop`.
    pub fn to_events(&self) -> Vec<ServerEvent> {
        self.events(None)
    }

    /// The same events as Bedrock sends them: the last one carries Bedrock's own counts.
    pub fn to_bedrock_events(&self) -> Vec<ServerEvent> {
        self.events(Some(InvocationMetrics::of(&self.usage)))
    }

    fn events(&self, metrics: Option<InvocationMetrics>) -> Vec<ServerEvent> {
        // A stream starts with one token of output on its account, whatever follows.
        let message = self.message(Vec::new(), None, 1);
        let mut events = vec![Event::MessageStart { message }];
        for (index, (content_block, deltas)) in self.streamed_blocks().into_iter().enumerate() {
            events.push(Event::ContentBlockStart { index, content_block });
            events.extend(deltas.into_iter().map(|delta| Event::ContentBlockDelta { index, delta }));
            events.push(Event::ContentBlockStop { index });
        }
        let delta = MessageChange { stop_reason: &self.stop_reason, stop_sequence: None };
        events.push(Event::MessageDelta { delta, usage: OutputTokens { output_tokens: self.usage.output } });
        events.push(Event::MessageStop { metrics });
        events.iter().map(Event::to_server_event).collect()
    }

    /// Each block as it begins, and the pieces which complete it.
    fn streamed_blocks(&self) -> Vec<(Block<'_>, Vec<Delta<'_>>)> {
        let mut blocks = Vec::new();
        if let Some((thinking, signature)) = &self.thinking {
            let deltas = vec![Delta::Thinking { thinking }, Delta::Signature { signature }];
            blocks.push((Block::Thinking { thinking: "", signature: "" }, deltas));
        }
        if !self.text.is_empty() {
            let deltas = self.text.iter().map(|text| Delta::Text { text }).collect();
            blocks.push((Block::Text { text: "" }, deltas));
        }
        if let Some((id, name, input)) = &self.tool_use {
            blocks.push((Block::ToolUse { id, name, input: &NO_INPUT }, input_deltas(input)));
        }
        blocks
    }
}

/// A tool's input in pieces that are no JSON by themselves, after the empty one with which the model begins.
fn input_deltas<'a>(input: &Value) -> Vec<Delta<'a>> {
    let whole = input.to_string();
    let (first, second) = whole.split_at(whole.floor_char_boundary(whole.len() / 2));
    ["", first, second].map(|piece| Delta::InputJson { partial_json: piece.to_owned() }).into()
}
