//! A conversation that fell back stays on Bedrock in the middle of a turn and returns at its end.

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use support::{Answer, Client, Reply, Surroundings, TestApp, get};

const SESSION: &str = "x-claude-code-session-id";
const AGENT: &str = "x-claude-code-agent-id";

fn in_mid_turn() -> Value {
    json!([
        {"role": "user", "content": "list the files"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "ls"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "a b c"}]},
        {"role": "system", "content": "a reminder"},
    ])
}

fn at_boundary() -> Value {
    json!([{"role": "user", "content": "and now something else"}])
}

fn request(client: &Client, session: &str, messages: &Value) -> RequestBuilder {
    let body = json!({"model": "claude-opus-5-5", "max_tokens": 9, "messages": messages});
    client.message(false).header(SESSION, session).body(body.to_string())
}

/// An app whose plan has failed once for session `s`, and works since.
async fn fallen_back(around: Surroundings) -> (TestApp, Client) {
    let app = TestApp::start_in(around).await;
    let client = Client::of(&app, &app.key().await);
    app.bedrock().otherwise(|_| Reply::bedrock_json(&Answer::text("from Bedrock")));
    app.plan().enqueue(Reply::overloaded());
    app.plan().otherwise(|_| Reply::plan_json(&Answer::text("from the plan")));
    assert_eq!(get(request(&client, "s", &at_boundary())).await.header("x-ccp-fallback"), "overloaded");
    (app, client)
}

/// B-38: thinking and cache of a turn that Bedrock began are Bedrock's; the next turn is the plan's again.
#[tokio::test]
async fn a_turn_is_finished_where_it_began() {
    let (app, client) = fallen_back(Surroundings::start().await).await;
    for _ in 0..3 {
        let got = get(request(&client, "s", &in_mid_turn())).await;
        assert_eq!((got.header("x-ccp-provider"), got.header("x-ccp-fallback")), ("bedrock", "staying"));
    }
    assert_eq!(get(request(&client, "s", &at_boundary())).await.header("x-ccp-provider"), "plan");
    assert_eq!(get(request(&client, "s", &in_mid_turn())).await.header("x-ccp-provider"), "plan", "it has returned");
    app.stop().await;
}

#[tokio::test]
async fn a_compacted_context_is_a_good_moment_too() {
    let (app, client) = fallen_back(Surroundings::start().await).await;
    let got = get(request(&client, "s", &in_mid_turn()).header("x-claude-code-context-compacted", "1")).await;
    assert_eq!(got.header("x-ccp-provider"), "plan");
    app.stop().await;
}

/// Other sessions, other agents of the session and other families of models have conversations of their own.
#[tokio::test]
async fn only_the_conversation_that_fell_back_stays() {
    let (app, client) = fallen_back(Surroundings::start().await).await;
    let haiku = json!({"model": "claude-haiku-5-5", "messages": in_mid_turn()}).to_string();
    for other in [
        request(&client, "another", &in_mid_turn()),
        request(&client, "s", &in_mid_turn()).header(AGENT, "a6505c7882c14dc6c"),
        request(&client, "s", &in_mid_turn()).body(haiku),
    ] {
        assert_eq!(get(other).await.header("x-ccp-provider"), "plan");
    }
    // Another developer cannot touch the conversation by naming its session.
    let stranger = Client::of(&app, &app.key().await);
    assert_eq!(get(request(&stranger, "s", &at_boundary())).await.header("x-ccp-provider"), "plan");
    assert_eq!(get(request(&client, "s", &in_mid_turn())).await.header("x-ccp-fallback"), "staying");
    app.stop().await;
}

#[tokio::test]
async fn without_a_session_the_access_key_is_the_conversation() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    app.bedrock().otherwise(|_| Reply::bedrock_json(&Answer::text("from Bedrock")));
    app.plan().enqueue(Reply::overloaded());
    client.ask().await;
    let body = json!({"model": "claude-opus-5-5", "messages": in_mid_turn()}).to_string();
    assert_eq!(get(client.message(false).body(body)).await.header("x-ccp-fallback"), "staying");
    app.stop().await;
}

/// A Bedrock that does not serve is nothing to stay for.
#[tokio::test]
async fn a_stay_ends_when_bedrock_fails() {
    let (app, client) = fallen_back(Surroundings::start().await).await;
    app.bedrock().otherwise(|_| Reply::bedrock_error(403, "AccessDeniedException", "the key has expired"));
    for _ in 0..2 {
        assert_eq!(get(request(&client, "s", &in_mid_turn())).await.header("x-ccp-provider"), "plan");
    }
    app.stop().await;
}

/// Where Bedrock has never served, nothing stays there.
#[tokio::test]
async fn a_fallback_that_failed_begins_no_stay() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    app.bedrock().otherwise(|_| Reply::bedrock_error(400, "ValidationException", "no"));
    app.plan().enqueue(Reply::overloaded());
    app.plan().otherwise(|_| Reply::plan_json(&Answer::text("from the plan")));
    assert_eq!(get(request(&client, "s", &in_mid_turn())).await.status, 400);
    assert_eq!(get(request(&client, "s", &in_mid_turn())).await.header("x-ccp-provider"), "plan");
    app.stop().await;
}

/// A turn of an agent can be long, and Bedrock costs money: a stay has an end.
#[tokio::test]
async fn a_stay_ends_after_its_limit() {
    let (app, client) = fallen_back(Surroundings::start().await.with("STAY_LIMIT", "1ms")).await;
    // The round trip of a request takes longer than the limit.
    get(request(&client, "another", &at_boundary())).await;
    assert_eq!(get(request(&client, "s", &in_mid_turn())).await.header("x-ccp-provider"), "plan");
    app.stop().await;
}
