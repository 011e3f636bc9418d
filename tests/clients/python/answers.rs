//! Answers of both providers through the library, whole and streamed.

use serde_json::Value;
use support::{Answer, Reply, TestApp, Usage};

use super::Program;
use crate::usage;

const TOKENS: Usage =
    Usage { input: 3, output: 550, cache_read: 40, cache_creation_5m: 304, cache_creation_1h: 12_000 };

fn answer() -> Answer {
    Answer::text("an answer in pieces").with_id("msg_of_the_answer").with_usage(TOKENS)
}

/// The last line says what the library made of the answer.
fn assert_whole(line: &Value) {
    assert_eq!((&line["id"], &line["text"]), (&"msg_of_the_answer".into(), &answer().full_text().into()));
    let usage = &line["usage"];
    assert_eq!((&usage["input_tokens"], &usage["output_tokens"]), (&3.into(), &550.into()));
    assert_eq!(
        (&usage["cache_read_input_tokens"], &usage["cache_creation_input_tokens"]),
        (&40.into(), &12_304.into())
    );
    assert_eq!(line["requests"], 1, "nothing was repeated");
}

/// The lines before it are the pieces, in order.
fn assert_pieces(lines: &[Value]) {
    let pieces: Vec<&str> = lines.iter().map(|line| line["delta"].as_str().unwrap()).collect();
    assert_eq!(pieces, answer().text);
}

/// The library sends the API key as a bearer token.
#[tokio::test]
async fn the_plan_gets_the_request_as_the_library_makes_it() {
    let app = TestApp::start().await;
    let key = app.key().await;
    let program = Program::of(&app, &key);
    app.plan().enqueue(Reply::plan_json(&answer()));
    let lines = program.run(&["create"]).await;
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_whole(line);
    let seen = app.plan().next_request().await;
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/v1/messages"));
    assert_eq!(seen.header_values("authorization"), [format!("Bearer {}", program.api_key)]);
    assert_eq!((seen.header("x-api-key"), seen.header("anthropic-version")), (None, Some("2026-10-21")));
    assert!(!format!("{:?}", seen.headers).contains(&key.text), "the access key is ours alone");
    app.stop().await;
}

#[tokio::test]
async fn the_plan_streams() {
    let app = TestApp::start().await;
    let program = Program::of(&app, &app.key().await);
    app.plan().enqueue(Reply::plan_stream(&answer()));
    let lines = program.run(&["stream"]).await;
    let (last, pieces) = lines.split_last().unwrap();
    assert_whole(last);
    assert_pieces(pieces);
    app.stop().await;
}

#[tokio::test]
async fn bedrock_answers_and_streams_when_the_plan_is_limited() {
    let app = TestApp::start().await;
    let program = Program::of(&app, &app.key().await);
    app.plan().otherwise(|_| Reply::plan_limited(4_000_000_000));
    app.bedrock().enqueue(Reply::bedrock_json(&answer()));
    let lines = program.run(&["create"]).await;
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_whole(line);
    app.bedrock().enqueue(Reply::bedrock_stream(&answer()));
    let lines = program.run(&["stream"]).await;
    let (last, pieces) = lines.split_last().unwrap();
    assert_whole(last);
    assert_pieces(pieces);

    let seen = app.bedrock().requests();
    let operations: Vec<_> = seen.iter().map(|request| request.path().rsplit('/').next().unwrap()).collect();
    assert_eq!(operations, ["invoke", "invoke-with-response-stream"]);
    for request in &seen {
        // The library speaks of a newer version, which only the newest models on Bedrock know.
        assert_eq!(request.json()["anthropic_version"], "bedrock-2023-05-31");
        assert_eq!((request.json().get("model"), request.json().get("stream")), (None, None));
    }
    let around = app.stop().await;
    let rows = usage::rows(&around.database).await;
    let tokens: Vec<_> = rows.iter().map(|row| (row.input_tokens, row.output_tokens, row.total_tokens)).collect();
    assert_eq!(tokens, [(3, 550, 12_897); 2]);
}
