//! What is said in a case: the prompt, and the answers, which depend on nothing but the request, so that both sides of a
//! pair hear the same.

use std::path::Path;

use serde_json::{Value, json};
use support::Answer;

/// A conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Talk {
    /// A prompt and its answer.
    Plain,
    /// The model has a command run.
    Tool,
    /// The same after a thought that it has signed.
    Thinking,
    /// The model reads a file of the working folder.
    Reads(&'static str),
    /// The model fills in the form that the options name.
    Form,
    /// The model has a subagent do the work.
    Subagent,
}

/// What the subagent is told; nothing else has these words in it.
const ERRAND: &str = "Say which colour the sky has.";

/// What it says.
const REPORT: &str = "The sky is blue.";

/// What the command's result has.
const RESULT: &str = r#""tool_use_id":"toolu_01SimulatedCall0001""#;

/// Base64, with all of its special characters.
const SIGNATURE: &str = "EqQBCkYIBxgCKkA+aGVsbG8/d29ybGQ+Zm9vL2Jhcg==";

impl Talk {
    /// The prompt.
    pub(crate) fn prompt(self) -> &'static str {
        match self {
            Self::Plain => "say hi",
            Self::Tool | Self::Thinking => "say hello with a command",
            Self::Reads(_) => "say what is in the file",
            Self::Form => "name a colour",
            Self::Subagent => "ask somebody for the colour of the sky",
        }
    }

    /// How many requests the client needs for it.
    pub(crate) fn requests(self) -> usize {
        match self {
            Self::Plain | Self::Form => 1,
            Self::Tool | Self::Thinking | Self::Reads(_) => 2,
            Self::Subagent => 3,
        }
    }

    /// What the last request shows of it.
    pub(crate) const fn shows(self) -> &'static str {
        match self {
            Self::Plain | Self::Form => "",
            Self::Tool => RESULT,
            Self::Thinking => SIGNATURE,
            Self::Reads(_) => r#""type":"base64""#,
            Self::Subagent => REPORT,
        }
    }

    /// The answer to a request of a client that runs in `work`.
    pub(crate) fn answer(self, request: &Value, work: &Path) -> Answer {
        let messages = request["messages"].as_array().map_or(&[][..], Vec::as_slice);
        let begins = !messages.iter().any(|message| message["role"] == "assistant");
        match self {
            Self::Tool if begins => says_hello(),
            Self::Thinking if begins => {
                says_hello().with_thinking("First \"think\",\nthen say héllo \\ 🦀.", SIGNATURE)
            }
            Self::Reads(file) if begins => {
                let input = json!({ "file_path": work.join(file) });
                Answer::text("I look at it.").with_tool_use("toolu_01SimulatedCall0002", "Read", input)
            }
            Self::Form if begins => {
                let input = json!({ "colour": "blue" });
                Answer::text("I answer.").with_tool_use("toolu_01SimulatedCall0004", "StructuredOutput", input)
            }
            Self::Subagent if begins && !was_told(messages, ERRAND) => {
                let input = json!({"description": "Look up", "prompt": ERRAND, "subagent_type": "general-purpose", "run_in_background": false});
                Answer::text("I ask.").with_tool_use("toolu_01SimulatedCall0003", "Agent", input)
            }
            Self::Subagent if begins => Answer::text(REPORT),
            _ => Answer::text("That is all."),
        }
    }
}

fn says_hello() -> Answer {
    let input = json!({"command": "echo hello", "description": "Say hello"});
    Answer::text("Let me see.").with_tool_use("toolu_01SimulatedCall0001", "Bash", input)
}

/// Whether a user has said this.
fn was_told(messages: &[Value], words: &str) -> bool {
    messages.iter().any(|message| message["role"] == "user" && message["content"].to_string().contains(words))
}
