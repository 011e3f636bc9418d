//! A limited plan: Bedrock answers, and Claude Code goes on as if nothing had happened.

use support::{Answer, BedrockApi, KeyWish, Reply, TestApp, Usage};

use super::tools::{ALLOWED, THOUGHT, assert_hello_was_said, assert_thought_is_untouched, thinks_and_says_hello};
use super::{ClaudeCode, RESET};
use crate::bedrock_body::{Display, assert_bridged, assert_bridged_for_messages};
use crate::usage::{self, Row};

/// What the client itself asks of Bedrock for its newest models.
const BETAS: &[&str] = &[
    "interleaved-thinking-2025-05-14",
    "tool-search-tool-2025-10-19",
    "thinking-token-count-2026-05-13",
    "thinking-display-updates-2026-08-18",
];

const TOKENS: Usage =
    Usage { input: 3, output: 550, cache_read: 40, cache_creation_5m: 304, cache_creation_1h: 12_000 };

#[tokio::test]
async fn bedrock_answers_a_full_prompt_and_its_tokens_are_counted() {
    let app = TestApp::start().await;
    let key = app.issue(KeyWish::default()).await;
    let claude = ClaudeCode::of(&app, &key);
    app.plan().enqueue(Reply::plan_limited(RESET));
    let answer = Answer::text("an answer of Bedrock").with_id("msg_bdrk_01").with_usage(TOKENS);
    app.bedrock().enqueue(Reply::bedrock_stream(&answer));
    let report = claude.report(&[], "say something").await;
    assert_eq!((report.text(), report.retries().len()), ("an answer of Bedrock", 0));
    let told = &report.result()["usage"];
    assert_eq!((&told["input_tokens"], &told["output_tokens"]), (&3.into(), &550.into()));
    assert_eq!((&told["cache_read_input_tokens"], &told["cache_creation_input_tokens"]), (&40.into(), &12_304.into()));

    let (at_plan, at_bedrock) = (app.plan().next_request().await, app.bedrock().next_request().await);
    assert_eq!(at_bedrock.target, "/model/global.anthropic.claude-opus-5-5/invoke-with-response-stream");
    assert_eq!(at_bedrock.header("authorization"), Some(format!("Bearer {}", key.bedrock_key.unwrap()).as_str()));
    assert!(!format!("{:?}", at_bedrock.headers).contains(&claude.api_key), "a login of the plan is not Bedrock's");
    assert_bridged(&at_plan, &at_bedrock, BETAS, Display::Kept);

    let session_id = report.result()["session_id"].as_str().unwrap().to_owned();
    let around = app.stop().await;
    let expected = Row {
        user_id: key.user_id,
        access_key_id: key.id,
        model: "claude-opus-5-5".to_owned(),
        upstream_model: "global.anthropic.claude-opus-5-5".to_owned(),
        upstream_message_id: Some("msg_bdrk_01".to_owned()),
        input_tokens: 3,
        output_tokens: 550,
        cache_read_input_tokens: 40,
        cache_creation_5m_tokens: 304,
        cache_creation_1h_tokens: 12_000,
        total_tokens: 12_897,
        is_fallback: true,
        outcome: "completed".to_owned(),
        session_id: Some(session_id),
    };
    assert_eq!(usage::rows(&around.database).await, [expected]);
}

/// B-37: the plan began the turn, Bedrock ends it, and gets to see what the plan's model thought. A thought whose text is
/// withheld has a signature all the same.
#[tokio::test]
async fn a_turn_that_the_plan_began_is_ended_by_bedrock() {
    for thought in [THOUGHT, ""] {
        let app = TestApp::start().await;
        let claude = ClaudeCode::of(&app, &app.key().await);
        app.plan().enqueue(Reply::plan_stream(&thinks_and_says_hello(thought)));
        app.plan().enqueue(Reply::plan_limited(RESET));
        app.bedrock().enqueue(Reply::bedrock_stream(&Answer::text("It said hello.").with_id("msg_bdrk_01")));
        let report = claude.report(ALLOWED, "say hello").await;
        assert_eq!((report.text(), report.retries().len()), ("It said hello.", 0));
        let [_, refused] = &app.plan().requests()[..] else { panic!("{:#?}", report.printed) };
        let at_bedrock = app.bedrock().next_request().await;
        assert_hello_was_said(&at_bedrock);
        assert_thought_is_untouched(&at_bedrock, thought);
        assert_bridged(refused, &at_bedrock, BETAS, Display::Kept);
        app.stop().await;
    }
}

/// B-07, B-37: the same through Bedrock's Messages API: Bedrock has a tool called and ends the turn.
#[tokio::test]
async fn the_messages_api_of_bedrock_serves_a_turn_with_a_tool() {
    let app = TestApp::start_in(BedrockApi::Messages.surroundings().await).await;
    let key = app.key().await;
    let claude = ClaudeCode::of(&app, &key);
    app.plan().enqueue(Reply::plan_limited(RESET));
    let call = thinks_and_says_hello(THOUGHT).with_id("msg_bdrk_01").with_usage(TOKENS);
    app.bedrock().enqueue(Reply::bedrock_messages_stream(&call));
    let said = Answer::text("It said hello.").with_id("msg_bdrk_02").with_usage(TOKENS);
    app.bedrock().enqueue(Reply::bedrock_messages_stream(&said));
    let report = claude.report(ALLOWED, "say hello").await;
    assert_eq!((report.text(), report.retries().len()), ("It said hello.", 0));

    let session_id = report.result()["session_id"].as_str().unwrap();
    let (at_plan, at_bedrock) = (app.plan().next_request().await, app.bedrock().requests());
    let [first, second] = &at_bedrock[..] else { panic!("{:#?}", report.printed) };
    // There it is no half of a pair: the edits of the context go along, and so does their beta.
    let betas = [BETAS, &["context-management-2025-06-27"]].concat();
    assert_bridged_for_messages(&at_plan, first, &betas, session_id);
    assert_hello_was_said(second);
    assert_thought_is_untouched(second, THOUGHT);
    for request in [first, second] {
        assert_eq!(request.target, "/anthropic/v1/messages");
        assert_eq!(request.header("x-api-key"), key.bedrock_key.as_deref());
        assert_eq!(request.header("authorization"), None);
        assert!(!format!("{:?}", request.headers).contains(&claude.api_key), "a login of the plan is not Bedrock's");
    }
    let around = app.stop().await;
    let rows = usage::rows(&around.database).await;
    let counted = rows.iter().map(|row| (row.upstream_message_id.as_deref().unwrap(), row.total_tokens));
    assert_eq!(counted.collect::<Vec<_>>(), [("msg_bdrk_01", 12_897), ("msg_bdrk_02", 12_897)]);
}
