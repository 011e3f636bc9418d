//! What Bedrock is sent: the right address, the right credential, a body it takes, and nothing of the plan's.

use serde_json::json;
use support::{Answer, Client, KeyWish, RecordedRequest, Reply, TestApp, get};

/// Has a request fall back and returns what Bedrock received.
async fn fallen_back(app: &TestApp, wish: KeyWish, stream: bool) -> (RecordedRequest, Client, support::IssuedKey) {
    let key = app.issue(wish).await;
    let client = Client::of(app, &key);
    app.plan().enqueue(Reply::overloaded());
    let answer = Answer::text("ok");
    app.bedrock().enqueue(if stream { Reply::bedrock_stream(&answer) } else { Reply::bedrock_json(&answer) });
    assert_eq!(get(client.message(stream)).await.status, 200);
    (app.bedrock().next_request().await, client, key)
}

#[tokio::test]
async fn the_operation_follows_from_stream() {
    let app = TestApp::start().await;
    let (seen, ..) = fallen_back(&app, KeyWish::default(), true).await;
    assert_eq!(seen.target, "/model/global.anthropic.claude-opus-5-5/invoke-with-response-stream");
    let (seen, ..) = fallen_back(&app, KeyWish::default(), false).await;
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("POST", "/model/global.anthropic.claude-opus-5-5/invoke")
    );
    app.stop().await;
}

/// B-59: each provider sees its own credential and no other.
#[tokio::test]
async fn credentials_do_not_cross() {
    let app = TestApp::start().await;
    let (seen, client, key) = fallen_back(&app, KeyWish::default(), true).await;
    let bedrock_key = key.bedrock_key.unwrap();
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {bedrock_key}").as_str()));
    let (at_bedrock, at_plan) = (format!("{seen:?}"), format!("{:?}", app.plan().next_request().await));
    assert!(!at_bedrock.contains(&client.login) && !at_bedrock.contains(&key.text));
    assert!(!at_plan.contains(&bedrock_key) && !at_plan.contains(&key.text));
    app.stop().await;
}

/// B-01 to B-05, B-25: the body is the client's, without what Bedrock refuses, and with what it wants.
#[tokio::test]
async fn the_body_is_what_bedrock_takes() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    let body = json!({
        "model": "claude-opus-5-5",
        "messages": [{"role": "system", "content": "x", "output_config": {"effort": "low"}}],
        "max_tokens": 10,
        "context_management": {"edits": []},
        "service_tier": "auto",
        "a_field_of_tomorrow": {"kept": [1.50, "é"]},
        "stream": false,
    });
    app.plan().enqueue(Reply::throttled(None));
    app.bedrock().enqueue(Reply::bedrock_json(&Answer::text("ok")));
    let betas = "claude-code-20250219,advanced-tool-use-2025-11-20,interleaved-thinking-2025-05-14,made-up-2031-01-01";
    let got =
        get(client.request(http::Method::POST, "/v1/messages").header("anthropic-beta", betas).body(body.to_string()))
            .await;
    assert_eq!(got.header("x-ccp-bedrock-dropped"), "messages.output_config,context_management,service_tier");
    let seen = app.bedrock().next_request().await;
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(
        seen.json(),
        json!({
            "messages": [{"role": "system", "content": "x"}],
            "max_tokens": 10,
            "a_field_of_tomorrow": {"kept": [1.50, "é"]},
            "anthropic_beta": ["interleaved-thinking-2025-05-14", "tool-search-tool-2025-10-19"],
            "anthropic_version": "bedrock-2023-05-31",
        })
    );
    app.stop().await;
}

/// A request without a login for the plan goes to Bedrock at once and is no fallback.
#[tokio::test]
async fn without_a_login_bedrock_serves() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    app.bedrock().enqueue(Reply::bedrock_stream(&Answer::text("ok")));
    let request = client.without_login(http::Method::POST, "/v1/messages");
    let got = get(request.body(client.body(true))).await;
    assert_eq!((got.status, got.header("x-ccp-provider"), got.header("x-ccp-fallback")), (200, "bedrock", ""));
    assert_eq!(app.plan().requests().len(), 0);
    app.stop().await;
}

/// A damaged or foreign Bedrock key costs the fallback, not the plan.
#[tokio::test]
async fn a_bedrock_key_that_cannot_be_opened_leaves_the_plan_its_word() {
    let app = TestApp::start().await;
    let key = app.key().await;
    sqlx::query("UPDATE bedrock_keys SET encrypted_key = '\\x0102' WHERE access_key_id = $1")
        .bind(key.id)
        .execute(&app.around().database.pool)
        .await
        .unwrap();
    let client = Client::of(&app, &key);
    app.plan().enqueue(Reply::overloaded());
    assert_eq!(client.ask().await.status, 529);
    let got = get(client.without_login(http::Method::POST, "/v1/messages").body(client.body(false))).await;
    assert_eq!((got.status, got.error_type().as_str()), (503, "api_error"));
    app.stop().await;
}
