//! Models: which one of Bedrock serves a request, and which ones a client is told of.

mod list;
mod map;
mod serving;

use reqwest::Method;
use serde_json::json;
use support::{Answer, Client, Reply, Upstream, get};

/// What follows `/model/` in Bedrock's URL when a request for a model falls back.
async fn asked_of_bedrock(plan: &Upstream, bedrock: &Upstream, client: &Client, model: &str) -> String {
    plan.enqueue(Reply::throttled(None));
    bedrock.enqueue(Reply::bedrock_json(&Answer::text("ok")));
    let body = json!({"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": client.prompt}]});
    let got = get(client.request(Method::POST, "/v1/messages").body(body.to_string())).await;
    assert_eq!((got.status, got.header("x-ccp-provider")), (200, "bedrock"), "{model}");
    assert_eq!(plan.next_request().await.json()["model"], model, "the plan gets the name as it came");
    let seen = bedrock.next_request().await;
    assert_eq!(seen.json().get("model"), None);
    seen.target.strip_prefix("/model/").and_then(|rest| rest.strip_suffix("/invoke")).unwrap().to_owned()
}
