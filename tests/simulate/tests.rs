//! The simulation as its users meet it, over HTTP.

use serde_json::{Value, json};
use support::{Upstream, http_client, sse, within};

use super::*;

async fn simulation(plan_limit_after: Option<u64>) -> (Upstream, Upstream) {
    start(&Arguments { plan_limit_after, plan_port: 0, bedrock_port: 0 }).await.unwrap()
}

async fn post(upstream: &Upstream, path: &str, body: &Value) -> (u16, String) {
    let call =
        http_client().post(format!("{}{path}", upstream.url())).bearer_auth("token").body(body.to_string()).send();
    let response = within("an answer", call).await.unwrap();
    (response.status().as_u16(), within("a body", response.text()).await.unwrap())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn the_plan_answers_until_its_limit_and_streams_if_asked() {
    let (plan, _) = simulation(Some(2)).await;
    let mut body = json!({ "model": "claude-x", "messages": [{ "role": "user", "content": "good day" }] });
    let (status, text) = post(&plan, "/v1/messages?beta=true", &body).await;
    assert_eq!((status, &json(&text)["model"]), (200, &json!("claude-x")));
    assert_eq!(json(&text)["content"][0]["text"], "Hello from the simulated plan. Your last words were: good day");

    body["stream"] = json!(true);
    let (_, text) = post(&plan, "/v1/messages", &body).await;
    let events = sse::decode(&text);
    assert_eq!(events[0].json()["message"]["usage"]["input_tokens"], 2);
    assert_eq!(events.last().unwrap().name, "message_stop");

    let (status, text) = post(&plan, "/v1/messages", &body).await;
    assert_eq!((status, &json(&text)["error"]["type"]), (429, &json!("rate_limit_error")));
    assert_eq!(post(&plan, "/v1/messages/count_tokens", &body).await, (200, r#"{"input_tokens":2}"#.to_owned()));
}

#[tokio::test]
async fn the_plan_has_models_and_refuses_what_it_does_not_know() {
    let (plan, _) = simulation(None).await;
    let models =
        within("models", http_client().get(format!("{}/v1/models?limit=1000", plan.url())).send()).await.unwrap();
    assert_eq!(json(&models.text().await.unwrap())["data"][0]["type"], "model");
    let (status, text) = post(&plan, "/v1/files", &json!({})).await;
    assert_eq!((status, &json(&text)["error"]["type"]), (404, &json!("not_found_error")));
}

#[tokio::test]
async fn bedrock_answers_a_body_that_is_fit_for_it() {
    let (_, bedrock) = simulation(None).await;
    let body = json!({ "anthropic_version": "bedrock-2023-05-31", "messages": [{ "role": "user", "content": "hi" }] });
    let (status, text) = post(&bedrock, "/model/us.anthropic.claude-sonnet-4-5-20250929-v1:0/invoke", &body).await;
    assert_eq!((status, &json(&text)["model"]), (200, &json!("claude-sonnet-4-5-20250929")));
}

#[tokio::test]
async fn bedrock_refuses_each_field_which_the_bridge_has_to_take_away() {
    let (_, bedrock) = simulation(None).await;
    for field in ["model", "stream", "context_management"] {
        let body = json!({ "anthropic_version": "bedrock-2023-05-31", "messages": [], field: {} });
        let (status, text) = post(&bedrock, "/model/m/invoke-with-response-stream", &body).await;
        assert_eq!(
            (status, json(&text)["message"].clone()),
            (400, json!(format!("{field}: Extra inputs are not permitted")))
        );
    }
    let (status, text) = post(&bedrock, "/model/m/invoke", &json!({ "messages": [] })).await;
    assert_eq!((status, json(&text)), (400, json!({ "message": "anthropic_version: Field required" })));
}

#[tokio::test]
async fn bedrock_refuses_a_request_without_a_token() {
    let (_, bedrock) = simulation(None).await;
    let call = http_client().post(format!("{}/model/m/invoke", bedrock.url())).header("x-api-key", "key").send();
    let response = within("an answer", call).await.unwrap();
    assert_eq!(response.status(), 403);
    assert!(response.headers()["x-amzn-errortype"].to_str().unwrap().starts_with("AccessDeniedException"));
}

/// Its Messages API is as strict, and speaks like the plan's.
#[tokio::test]
async fn bedrock_has_a_messages_api_too() {
    let (_, bedrock) = simulation(None).await;
    let asked = async |key: &str, body: Value| {
        let call = http_client().post(format!("{}/anthropic/v1/messages", bedrock.url())).header("x-api-key", key);
        let response = within("an answer", call.body(body.to_string()).send()).await.unwrap();
        (response.status().as_u16(), within("a body", response.text()).await.unwrap())
    };
    let body = |stream| json!({ "model": "us.anthropic.claude-opus-5-5", "messages": [], "stream": stream });
    let (status, text) = asked("key", body(false)).await;
    assert_eq!((status, &json(&text)["model"]), (200, &json!("claude-opus-5-5")));
    let (_, text) = asked("key", body(true)).await;
    assert_eq!(sse::decode(&text).last().unwrap().name, "message_stop");
    assert_eq!(asked("", body(true)).await.0, 401);
    for (field, value) in [("anthropic_version", json!("x")), ("anthropic_beta", json!([])), ("model", Value::Null)] {
        let mut body = body(true);
        if value.is_null() {
            body.as_object_mut().unwrap().remove(field);
        } else {
            body[field] = value;
        }
        assert_eq!(asked("key", body).await.0, 400, "{field}");
    }
}
