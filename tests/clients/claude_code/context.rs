//! `/context`, for which Claude Code has its prompt counted part by part.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claude_code_proxy::domain::RoutingStrategy;
use serde_json::Value;
use support::{KeyWish, RecordedRequest, Reply, TestApp};

use super::ClaudeCode;

/// The body that Bedrock is asked to count.
fn counted(request: &RecordedRequest) -> Value {
    let body = STANDARD.decode(request.json()["input"]["invokeModel"]["body"].as_str().unwrap()).unwrap();
    serde_json::from_slice(&body).unwrap()
}

/// B-71: the client takes Bedrock's numbers for a model that Bedrock counts for.
#[tokio::test]
async fn bedrock_counts_for_the_client() {
    let app = TestApp::start().await;
    let key = app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await;
    app.bedrock().otherwise(|_| Reply::json(200, r#"{"inputTokens":4711}"#));
    let printed = ClaudeCode::of(&app, &key).print(&["--model", "claude-opus-4-6"], "/context").await;
    assert!(printed.status.success() && printed.stdout.contains("| Messages | 4.7k |"), "{printed:#?}");
    let asked = app.bedrock().requests();
    assert!(asked.len() > 1 && asked.iter().all(|request| request.target == asked[0].target));
    assert_eq!(asked[0].target, "/model/anthropic.claude-opus-4-6-v1/count-tokens");
    for body in asked.iter().map(counted) {
        assert!(body["max_tokens"].is_u64() && body.get("model").is_none(), "{body:#}");
        assert!(body.get("tools").is_none_or(|tools| tools[0].is_object()), "an empty list of tools");
    }
    app.stop().await;
}

/// B-71: where nobody counts, the client makes its own estimate and shows no error.
#[tokio::test]
async fn without_a_count_the_client_estimates() {
    let app = TestApp::start().await;
    let key = app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await;
    let printed = ClaudeCode::of(&app, &key).print(&[], "/context").await;
    assert!(printed.status.success() && printed.stdout.contains("| System tools |"), "{printed:#?}");
    assert!(!format!("{printed:?}").to_lowercase().contains("error"), "{printed:#?}");
    assert_eq!(app.bedrock().requests().len() + app.plan().requests().len(), 0);
    app.stop().await;
}
