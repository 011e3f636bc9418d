//! What the simulated model understands of a request, and what it says to it. But for the message id, the same request gets the same answer.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use support::{Answer, Usage};

/// How much of the last words of the user is quoted.
const QUOTED_CHARACTERS: usize = 80;

/// Who answers.
#[derive(Clone, Copy)]
pub(crate) enum Speaker {
    /// The plan.
    Plan,
    /// Amazon Bedrock.
    Bedrock,
}

/// The body of a request for a message.
pub(crate) struct Conversation(Value);

impl Conversation {
    /// Reads a body; nothing, if it is no JSON object.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().filter(Value::is_object).map(Self)
    }

    /// Whether the body has that field at its top.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some()
    }

    /// The model that is asked for in the body.
    pub(crate) fn model(&self) -> &str {
        self.0["model"].as_str().unwrap_or("claude-unnamed")
    }

    /// Whether the body asks for a stream.
    pub(crate) fn wants_stream(&self) -> bool {
        self.0["stream"] == true
    }

    /// The words in the texts of all messages and of the system prompt. Tools, and the input of their calls, do not count.
    pub(crate) fn input_tokens(&self) -> u64 {
        let mut texts = texts(&self.0["system"]);
        for message in self.messages() {
            texts.extend(self::texts(&message["content"]));
        }
        texts.into_iter().map(words).sum()
    }

    /// The answer of `speaker`, in the name of `model`.
    pub(crate) fn answer(&self, speaker: Speaker, model: &str) -> Answer {
        let hello = match speaker {
            Speaker::Plan => "Hello from the simulated plan.",
            Speaker::Bedrock => "Hello from the simulated Bedrock.",
        };
        let text = match self.last_user_text() {
            Some(quoted) => format!("{hello} Your last words were: {}", shortened(quoted)),
            None => format!("{hello} You have not said anything yet."),
        };
        let usage = Usage { input: self.input_tokens(), output: words(&text), ..Usage::default() };
        Answer::text(&text).with_id(speaker.next_message_id()).with_model(model).with_usage(usage)
    }

    fn last_user_text(&self) -> Option<&str> {
        let mut messages = self.messages().iter().rev().filter(|message| message["role"] == "user");
        messages.find_map(|message| match &message["content"] {
            Value::String(text) => Some(text.as_str()),
            content => content.as_array()?.iter().rev().find_map(|block| block["text"].as_str()),
        })
    }

    fn messages(&self) -> &[Value] {
        self.0["messages"].as_array().map_or(&[], Vec::as_slice)
    }
}

impl Speaker {
    /// A new id for each message, as a client may take two messages with one id for the same.
    fn next_message_id(self) -> String {
        static MESSAGES: AtomicU64 = AtomicU64::new(1);
        let number = MESSAGES.fetch_add(1, Ordering::Relaxed);
        match self {
            Self::Plan => format!("msg_01Simulated{number:09}"),
            Self::Bedrock => format!("msg_bdrk_01Simulated{number:09}"),
        }
    }
}

/// All texts of a content, whether it is one string, or blocks that hold text or further content.
fn texts(content: &Value) -> Vec<&str> {
    match content {
        Value::String(text) => vec![text],
        Value::Array(blocks) => {
            blocks.iter().flat_map(|block| block["text"].as_str().into_iter().chain(texts(&block["content"]))).collect()
        }
        _ => Vec::new(),
    }
}

fn words(text: &str) -> u64 {
    text.split_whitespace().map(|_| 1).sum()
}

fn shortened(text: &str) -> String {
    let text = text.trim();
    let mut short: String = text.chars().take(QUOTED_CHARACTERS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_counts_by_its_words_and_nothing_else_does() {
        let conversation = Conversation(json!({
            "system": [{"type": "text", "text": "be kind"}],
            "messages": [
                {"role": "user", "content": "one  two\nthree"},
                {"role": "assistant", "content": [{"type": "tool_use", "name": "Bash", "input": {"text": "not this"}}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "content": [{"type": "text", "text": "four five"}]},
                    {"type": "tool_result", "content": "six"},
                ]},
            ],
            "tools": [{"name": "Bash", "description": "not this either"}],
        }));
        assert_eq!(conversation.input_tokens(), 2 + 3 + 2 + 1);
    }

    #[test]
    fn the_last_words_of_the_user_are_quoted_and_shortened() {
        let long = "é".repeat(81);
        let conversation = Conversation(json!({"messages": [
            {"role": "user", "content": [{"type": "text", "text": "a reminder"}, {"type": "text", "text": long}]},
            {"role": "assistant", "content": "not this"},
            {"role": "user", "content": [{"type": "tool_result", "content": "nor this"}]},
        ]}));
        let answer = conversation.answer(Speaker::Plan, "claude-test");
        assert!(answer.full_text().ends_with(&format!(": {}…", "é".repeat(80))));
        assert_eq!(answer.usage, Usage { input: 2 + 1 + 2 + 2, output: 10, ..Usage::default() });
    }

    #[test]
    fn silence_is_answered_too() {
        let answer = Conversation(json!({})).answer(Speaker::Plan, "claude-test");
        assert!(answer.full_text().contains("not said anything"));
    }
}
