//! The conversation as it is meant to be: twenty calls of a tool, one after the other, and a last word. Both providers
//! find in a request how far it has got, so that it does not matter which of them serves a step.

use serde_json::{Value, json};
use support::{Answer, RecordedRequest};

use super::dice::Dice;
use crate::claude_code::blocks;

/// Calls of a tool.
pub(super) const STEPS: usize = 20;
/// What the model says when all is done.
pub(super) const LAST_WORD: &str = "All twenty steps are done.";

const SIGNATURE: &str = "EqQBCkYIBxgCKkA+aGVsbG8/d29ybGQ+Zm9vL2Jhcg==";

/// The result of a tool, as a request brings it: the call's id and what the tool printed.
pub(super) type ToolResult = (String, String);

/// The answer to a request that has the results of so many steps: the next call, or the last word.
pub(super) fn answer(dice: Dice, done: usize) -> Answer {
    if done == STEPS {
        return Answer::text(LAST_WORD);
    }
    let input = json!({"command": format!("echo step-{done}"), "description": format!("Say step {done}")});
    let thought = format!("Step {done} is \"next\" 🦀.");
    let answer = match dice.throw("shape", done, 0, 4) {
        0 => Answer::deltas([] as [&str; 0]),
        1 => Answer::text(&format!("Now comes step {done}.")).with_thinking(thought, SIGNATURE),
        2 => Answer::deltas([] as [&str; 0]).with_thinking(thought, SIGNATURE),
        _ => Answer::text(&format!("Now comes step {done}.")),
    };
    answer.with_tool_use(call(done), "Bash", input)
}

/// The results of all steps, each once and in order.
pub(super) fn all_results() -> Vec<ToolResult> {
    (0..STEPS).map(|step| (call(step), format!("step-{step}"))).collect()
}

/// The results in a request, in order, repetitions included.
pub(super) fn results(request: &RecordedRequest) -> Vec<ToolResult> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let blocks = blocks(request, "tool_result");
    blocks.iter().map(|block| (text(&block["tool_use_id"]), text(&block["content"]))).collect()
}

/// Whether a request asks for the rest of an answer that was cut off, as the client does where it keeps what it had.
pub(super) fn wants_the_rest(request: &RecordedRequest) -> bool {
    let body = request.json();
    let last = body["messages"].as_array().unwrap().iter().rev().find(|message| message["role"] == "user");
    last.is_some_and(|message| message.to_string().contains("Your response above was cut off"))
}

/// How many steps those results show to be done.
pub(super) fn done(results: &[ToolResult]) -> usize {
    (0..STEPS).take_while(|step| results.iter().any(|(id, _)| *id == call(*step))).count()
}

fn call(step: usize) -> String {
    format!("toolu_step_{step:02}")
}
