//! B-71: counting tokens. The plan first, then Bedrock where it counts for the model, and never a number of our own.

use base64::Engine as _;
use claude_code_proxy::domain::{Family, RoutingStrategy};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use support::process::ServeProcess;
use support::{Answer, Client, Got, KeyWish, Reply, Surroundings, TestApp, get, within};

/// A request to count, as `/context` of Claude Code sends it.
fn counting(client: &Client, model: &str, login: bool) -> RequestBuilder {
    let path = "/v1/messages/count_tokens?beta=true";
    let request = if login { client.request(Method::POST, path) } else { client.without_login(Method::POST, path) };
    let body = json!({
        "model": model,
        "messages": [{"role": "user", "content": client.prompt}],
        "tools": [{"name": "t", "input_schema": {"type": "object"}}],
        "service_tier": "auto",
    });
    request.header("anthropic-beta", "interleaved-thinking-2025-05-14,made-up-2031-01-01").body(body.to_string())
}

fn counted(tokens: u32) -> Reply {
    Reply::json(200, json!({ "inputTokens": tokens }).to_string())
}

fn assert_not_supported(got: &Got, provider: &str) {
    assert_eq!((got.status, got.error_type().as_str()), (501, "not_supported"));
    assert_eq!((got.header("x-should-retry"), got.header("x-ccp-provider")), ("false", provider));
}

/// B-71: the plan's number is the answer, byte for byte, and its refusals are the client's to hear.
#[tokio::test]
async fn the_plan_counts_first() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    for (status, body) in [(200, r#"{"input_tokens": 7 }"#), (400, "{}"), (404, "{}")] {
        app.plan().enqueue(Reply::json(status, body));
        let got = get(counting(&client, "claude-opus-4-6", true)).await;
        assert_eq!((got.status, &got.body[..]), (status, body.as_bytes()));
        assert_eq!((got.header("x-ccp-provider"), got.header("x-ccp-fallback")), ("plan", ""));
        assert_eq!(app.plan().next_request().await.target, "/v1/messages/count_tokens?beta=true");
    }
    assert_eq!(app.bedrock().requests().len(), 0);
    app.stop().await;
}

/// B-71: in place of the plan Bedrock counts the bridged body, under the id without geography, and nobody pays for it.
#[tokio::test]
async fn bedrock_counts_when_the_plan_cannot() {
    let app = TestApp::start().await;
    let key = app.key().await;
    let client = Client::of(&app, &key);
    for (reply, reason) in [
        (Reply::plan_limited(4_000_000_000), "plan_limit"),
        (Reply::overloaded(), "overloaded"),
        (Reply::throttled(Some(30)), "throttled"),
        (Reply::new(302).with_header("location", "http://127.0.0.1:9/"), "invalid_answer"),
        (Reply::drops_connection(), "unreachable"),
    ] {
        app.plan().enqueue(reply);
        app.bedrock().enqueue(counted(4711));
        let got = get(counting(&client, "claude-opus-4-6[1m]", true)).await;
        assert_eq!((got.status, &got.body[..]), (200, &br#"{"input_tokens":4711}"#[..]), "{reason}");
        assert_eq!((got.header("x-ccp-provider"), got.header("x-ccp-fallback")), ("bedrock", reason));
        assert_eq!(
            (got.header("content-type"), got.header("x-ccp-bedrock-dropped")),
            ("application/json", "service_tier")
        );

        let seen = app.bedrock().next_request().await;
        assert_eq!(seen.target, "/model/anthropic.claude-opus-4-6-v1/count-tokens");
        assert_eq!(
            seen.header("authorization"),
            Some(format!("Bearer {}", key.bedrock_key.as_ref().unwrap()).as_str())
        );
        let sent = seen.json()["input"]["invokeModel"]["body"].as_str().unwrap().to_owned();
        let sent: Value =
            serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(sent).unwrap()).unwrap();
        let expected = json!({
            "messages": [{"role": "user", "content": client.prompt}],
            "tools": [{"name": "t", "input_schema": {"type": "object"}}],
            "anthropic_beta": ["context-1m-2025-08-07", "interleaved-thinking-2025-05-14"],
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 4096,
        });
        assert_eq!(sent, expected);
    }
    // Five failures, one of them a limit, and the plan's breaker has heard of none.
    app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
    assert_eq!(client.ask().await.header("x-ccp-provider"), "plan");
    let around = app.stop().await;
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM token_usage").fetch_one(&around.database.pool).await.unwrap();
    assert_eq!(rows, 0);
}

/// B-71: where nobody counts, the client gets what the plan has said, or the word that it has to estimate.
#[tokio::test]
async fn where_nobody_counts_no_number_is_made_up() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    // The fifth generation is not counted for, so Bedrock is not even asked.
    app.plan().enqueue(Reply::overloaded());
    let got = get(counting(&client, "claude-opus-5-5", true)).await;
    assert_eq!((got.status, got.header("x-ccp-provider"), got.header("x-ccp-fallback")), (529, "plan", ""));
    assert_not_supported(&get(counting(&client, "claude-opus-5-5", false)).await, "");
    assert_eq!(app.bedrock().requests().len(), 0);
    // What Bedrock says instead is not the client's to hear.
    let refusals = [
        Reply::bedrock_error(400, "ValidationException", "no"),
        Reply::bedrock_error(403, "AccessDeniedException", "no"),
        Reply::bedrock_error(429, "ThrottlingException", "no"),
        Reply::json(200, "{}"),
        Reply::json(200, r#"{"inputTokens":-1}"#),
        Reply::drops_connection(),
    ];
    for refusal in refusals {
        app.bedrock().enqueue(refusal);
        assert_not_supported(&get(counting(&client, "claude-opus-4-6", false)).await, "bedrock");
    }
    app.plan().enqueue(Reply::plan_limited(4_000_000_000));
    app.bedrock().enqueue(Reply::bedrock_error(503, "ServiceUnavailableException", "no"));
    let got = get(counting(&client, "claude-opus-4-6", true)).await;
    assert_eq!((got.status, got.error_type().as_str()), (429, "rate_limit_error"));
    assert_eq!((got.header("x-ccp-provider"), got.header("x-ccp-fallback")), ("plan", ""));
    assert_eq!(got.header("anthropic-ratelimit-unified-status"), "rejected");
    // A model that does not count at all is not asked again.
    let refusal = "The provided model doesn't support counting tokens.";
    app.bedrock().enqueue(Reply::bedrock_error(400, "ValidationException", refusal));
    assert_not_supported(&get(counting(&client, "claude-opus-4-6", false)).await, "bedrock");
    let asked = app.bedrock().requests().len();
    assert_not_supported(&get(counting(&client, "claude-opus-4-6", false)).await, "");
    assert_eq!(app.bedrock().requests().len(), asked);
    app.stop().await;
}

/// B-71: who is served by Bedrock alone has Bedrock's number, for the model that would serve; a key without Bedrock
/// and a user of the plan alone have none.
#[tokio::test]
async fn the_way_of_a_count_is_that_of_a_message() {
    let app = TestApp::start().await;
    let only = KeyWish {
        family_models: vec![(Family::Opus, "eu.anthropic.claude-sonnet-4-6")],
        ..KeyWish::routed(RoutingStrategy::BedrockOnly)
    };
    let client = Client::of(&app, &app.issue(only).await);
    app.bedrock().enqueue(counted(3));
    let got = get(counting(&client, "claude-opus-5-5", true)).await;
    assert_eq!(got.json(), json!({"input_tokens": 3}));
    assert_eq!((got.header("x-ccp-provider"), got.header("x-ccp-fallback")), ("bedrock", ""));
    assert_eq!(app.bedrock().next_request().await.target, "/model/anthropic.claude-sonnet-4-6/count-tokens");
    assert_eq!(app.plan().requests().len(), 0);

    let arn = "arn:aws:bedrock:ap-northeast-2:123456789012:application-inference-profile/abc123";
    for wish in [
        KeyWish { model: arn, ..KeyWish::routed(RoutingStrategy::BedrockOnly) },
        KeyWish::without_bedrock(),
        KeyWish::routed(RoutingStrategy::PlanOnly),
    ] {
        let client = Client::of(&app, &app.issue(wish).await);
        assert_not_supported(&get(counting(&client, "claude-opus-4-6", false)).await, "");
    }
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::PlanOnly)).await);
    app.plan().enqueue(Reply::overloaded());
    assert_eq!(get(counting(&client, "claude-opus-4-6", true)).await.status, 529);
    assert_eq!(app.bedrock().requests().len(), 1);
    app.stop().await;
}

/// B-71: neither the limit of requests nor the log takes a count for a message.
#[tokio::test]
async fn a_count_is_logged_as_one_and_never_limited() {
    let around = Surroundings::start().await.with("KEY_REQUESTS_PER_MINUTE", "1");
    let process = ServeProcess::start(&around).await;
    let key = around.issue(KeyWish::default()).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    for _ in 0..3 {
        around.bedrock.enqueue(counted(9));
        assert_eq!(get(counting(&client, "claude-opus-4-6", false)).await.status, 200);
    }
    let lines = within("lines of the log", async {
        loop {
            let lines: Vec<Value> = process.log().into_iter().filter(|line| line["message"] == "request").collect();
            if lines.len() == 3 {
                return lines;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    for line in lines {
        for (field, expected) in [
            ("operation", json!("count_tokens")),
            ("model", json!("claude-opus-4-6")),
            ("provider", json!("bedrock")),
            ("status", json!(200)),
            ("outcome", json!("completed")),
        ] {
            assert_eq!(line[field], expected, "{field} in {line}");
        }
        assert_eq!(line.get("input_tokens"), None, "what is counted for nothing is no usage");
    }
    assert!(process.log().iter().all(|line| line["message"] != "usage"));
}
