//! The library's client for Bedrock. Its streams need packages of AWS; whole answers do not.

use support::{Answer, KeyWish, Reply, TestApp, Usage};

use super::Program;
use crate::usage;

#[tokio::test]
async fn the_client_for_bedrock_gets_a_whole_answer() {
    let app = TestApp::start().await;
    let key = app.key().await;
    let program = Program::of(&app, &key);
    let tokens = Usage { input: 3, output: 550, ..Usage::default() };
    let answer = Answer::text("an answer in pieces").with_id("msg_of_the_answer").with_usage(tokens);
    app.bedrock().enqueue(Reply::bedrock_json(&answer));
    let lines = program.run(&["create", "--bedrock"]).await;
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&line["id"], &line["text"]), (&"msg_of_the_answer".into(), &"an answer in pieces".into()));
    let seen = app.bedrock().next_request().await;
    assert_eq!(seen.target, "/model/claude-opus-5-5/invoke");
    // Of a version that the bridge would have replaced: here nothing is touched.
    assert_eq!(seen.json()["anthropic_version"], "2026-10-21");
    assert_eq!(seen.header_values("authorization"), [format!("Bearer {}", key.bedrock_key.unwrap())]);
    assert!(!format!("{seen:?}").contains(&program.api_key));
    let around = app.stop().await;
    let rows = usage::rows(&around.database).await;
    let told: Vec<_> = rows.iter().map(|row| (&row.model[..], row.total_tokens, row.is_fallback)).collect();
    assert_eq!(told, [("claude-opus-5-5", 553, false)]);
}

/// An error in AWS's shape is one that the library knows, and its words arrive.
#[tokio::test]
async fn a_refusal_is_an_exception_of_its_kind() {
    let app = TestApp::start().await;
    let program = Program::of(&app, &app.issue(KeyWish::without_bedrock()).await);
    let lines = program.run(&["create", "--bedrock"]).await;
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&line["exception"], &line["status"]), (&"PermissionDeniedError".into(), &403.into()));
    assert_eq!(line["requests"], 1, "nothing was repeated");
    app.stop().await;
}
