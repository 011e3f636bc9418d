//! Turns with tools: what the model said comes back to it as it was said, with the result of the call.

use serde_json::{Value, json};
use support::{Answer, RecordedRequest, Reply, TestApp};

use super::{ClaudeCode, blocks};

/// The call of a tool that Claude Code may run unasked with [`ALLOWED`].
pub(super) const CALL: &str = "toolu_01SimulatedCall0001";

/// Full options for [`CALL`].
pub(super) const ALLOWED: &[&str] = &["--allowedTools", "Bash(echo:*)"];

/// A thought with everything that JSON can write in more than one way.
pub(super) const THOUGHT: &str = "First \"think\",\nthen say héllo \\ 🦀.";
/// Base64, with all of its special characters.
const SIGNATURE: &str = "EqQBCkYIBxgCKkA+aGVsbG8/d29ybGQ+Zm9vL2Jhcg==";

/// An answer that asks for `echo hello`.
pub(super) fn says_hello() -> Answer {
    let input = json!({"command": "echo hello", "description": "Say hello"});
    Answer::text("Let me see.").with_tool_use(CALL, "Bash", input)
}

/// The same after a thought that the model has signed.
pub(super) fn thinks_and_says_hello(thought: &str) -> Answer {
    says_hello().with_thinking(thought, SIGNATURE)
}

/// That the request carries the result of [`CALL`], and the call itself.
pub(super) fn assert_hello_was_said(request: &RecordedRequest) {
    let results = blocks(request, "tool_result");
    assert_eq!(results.len(), 1, "{results:#?}");
    assert_eq!((&results[0]["tool_use_id"], &results[0]["content"]), (&json!(CALL), &json!("hello")));
    assert_ne!(results[0]["is_error"], Value::Bool(true));
    let calls = blocks(request, "tool_use");
    let (_, _, input) = says_hello().tool_use.unwrap();
    assert_eq!((calls.len(), &calls[0]["id"], &calls[0]["input"]), (1, &json!(CALL), &input));
}

/// That the signed thought is in the request byte for byte; a model refuses one that was touched.
pub(super) fn assert_thought_is_untouched(request: &RecordedRequest, thought: &str) {
    let block = format!(r#"{{"type":"thinking","thinking":{},"signature":{}}}"#, json!(thought), json!(SIGNATURE));
    let found = String::from_utf8_lossy(&request.body).matches(&block).count();
    assert_eq!(found, 1, "{:#?}", blocks(request, "thinking"));
}

#[tokio::test]
async fn a_tool_is_run_and_its_result_goes_back() {
    let app = TestApp::start().await;
    let claude = ClaudeCode::of(&app, &app.key().await);
    app.plan().enqueue(Reply::plan_stream(&says_hello()));
    app.plan().enqueue(Reply::plan_stream(&Answer::text("It said hello.").with_id("msg_2")));
    let report = claude.report(ALLOWED, "say hello").await;
    assert_eq!(report.text(), "It said hello.");
    let [first, second] = &app.plan().requests()[..] else { panic!("{:#?}", report.printed) };
    assert_eq!(blocks(first, "tool_result"), [] as [Value; 0]);
    assert_hello_was_said(second);
    app.stop().await;
}

/// B-28
#[tokio::test]
async fn a_signed_thought_goes_back_byte_for_byte() {
    let app = TestApp::start().await;
    let claude = ClaudeCode::of(&app, &app.key().await);
    app.plan().enqueue(Reply::plan_stream(&thinks_and_says_hello(THOUGHT)));
    app.plan().enqueue(Reply::plan_stream(&Answer::text("It said hello.").with_id("msg_2")));
    let report = claude.report(&[&["--bare"], ALLOWED].concat(), "say hello").await;
    assert_eq!(report.text(), "It said hello.");
    let [_, second] = &app.plan().requests()[..] else { panic!("{:#?}", report.printed) };
    assert_thought_is_untouched(second, THOUGHT);
    assert_hello_was_said(second);
    app.stop().await;
}
