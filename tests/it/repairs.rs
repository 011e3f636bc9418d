//! What Bedrock refuses: repaired once, learnt, shared; what it throttles; what it says of itself to developers.

mod alerts;
mod counters;
mod errors;
mod ladder;
mod learned;
mod throttling;

use claude_code_proxy::domain::RoutingStrategy;
use http::Method;
use serde_json::{Value, json};
use support::{Client, Got, KeyWish, RecordedRequest, Reply, TestApp, get};

/// An app and a client whom Bedrock alone serves.
async fn on_bedrock() -> (TestApp, Client) {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
    (app, client)
}

/// A request with these fields besides what every request has.
async fn ask(client: &Client, fields: Value) -> Got {
    get(request(client, fields)).await
}

fn request(client: &Client, fields: Value) -> reqwest::RequestBuilder {
    let mut body =
        json!({"model": "claude-opus-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]});
    let (Value::Object(members), Value::Object(fields)) = (&mut body, fields) else { panic!("an object") };
    members.extend(fields);
    client.request(Method::POST, "/v1/messages?beta=true").body(body.to_string())
}

/// A 400 in AWS's words.
fn invalid(message: &str) -> Reply {
    Reply::bedrock_error(400, "ValidationException", message)
}

fn message(got: &Got) -> String {
    got.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
}

fn has(request: &RecordedRequest, text: &str) -> bool {
    request.body.windows(text.len()).any(|part| part == text.as_bytes())
}
