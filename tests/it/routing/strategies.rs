//! What the administrator has set for a user: plan first, Bedrock only, plan only.

use claude_code_proxy::domain::RoutingStrategy;
use reqwest::Method;
use support::{Answer, Client, KeyWish, Reply, TestApp, get};

#[tokio::test]
async fn bedrock_only_never_asks_the_plan() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
    app.bedrock().enqueue(Reply::bedrock_json(&Answer::text("ok")));
    let got = client.ask().await;
    assert_eq!((got.header("x-ccp-provider"), got.header("x-ccp-fallback")), ("bedrock", ""));
    // Bedrock's errors are the answer then.
    app.bedrock()
        .enqueue(Reply::bedrock_error(429, "ThrottlingException", "slow down").with_header("retry-after", "30"));
    assert_eq!(client.ask().await.status, 429);
    assert_eq!(app.plan().requests().len(), 0);
    let wish = KeyWish { bedrock: false, ..KeyWish::routed(RoutingStrategy::BedrockOnly) };
    let got = Client::of(&app, &app.issue(wish).await).ask().await;
    assert_eq!((got.status, got.error_type().as_str()), (403, "permission_error"));
    assert!(got.json()["error"]["message"].as_str().unwrap().contains("Bedrock only"));
    app.stop().await;
}

#[tokio::test]
async fn plan_only_never_asks_bedrock() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::PlanOnly)).await);
    for _ in 0..5 {
        app.plan().enqueue(Reply::overloaded());
        let got = client.ask().await;
        assert_eq!((got.status, got.header("x-ccp-provider")), (529, "plan"));
    }
    let got = get(client.without_login(Method::POST, "/v1/messages").body(client.body(false))).await;
    assert_eq!((got.status, got.error_type().as_str()), (403, "permission_error"));
    assert_eq!(app.bedrock().requests().len(), 0);
    app.stop().await;
}
