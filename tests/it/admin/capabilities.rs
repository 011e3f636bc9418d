//! What models were learnt to refuse: seen, and forgotten by every instance.

use http::Method;
use serde_json::json;
use support::{Administrator, Client, RecordedRequest, Reply, get, within};

use super::{end, two_instances};

/// Asks for something with a field that some model may refuse; says what was left out.
async fn dropped(client: &Client) -> String {
    let body = json!({"model": "claude-opus-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}],
                      "wanted_0": 1});
    let got = get(client.request(Method::POST, "/v1/messages?beta=true").body(body.to_string())).await;
    assert_eq!(got.status, 200, "{got:?}");
    got.header("x-ccp-bedrock-dropped").to_owned()
}

fn has_field(request: &RecordedRequest) -> bool {
    request.json().get("wanted_0").is_some()
}

#[tokio::test]
async fn a_refusal_is_forgotten_at_once_here_and_soon_elsewhere() {
    let (first, second, admin, key, [here, there]) = two_instances().await;
    admin.call("update_user").on("user_id", key.user_id).json(json!({ "routing": "bedrock_only" })).ok().await;
    within("the routing", async { while there.ask().await.header("x-ccp-provider") != "bedrock" {} }).await;
    let refused = "wanted_0: Extra inputs are not permitted";
    first.bedrock().enqueue(Reply::bedrock_error(400, "ValidationException", refused));
    assert_eq!(dropped(&here).await, "wanted_0");
    within("the other instance to know", async { while dropped(&there).await != "wanted_0" {} }).await;
    let mut listed = admin.call("list_capabilities").query("region", "ap-northeast-2").ok().await;
    assert_eq!(listed["total"], 1);
    let capability = listed["items"][0].take();
    for (field, expected) in [
        ("dialect", "invoke"),
        ("region", "ap-northeast-2"),
        ("model", "global.anthropic.claude-opus-5-5"),
        ("kind", "field"),
        ("name", "wanted_0"),
    ] {
        assert_eq!(capability[field], expected, "{capability}");
    }
    assert_eq!(admin.call("list_capabilities").query("model", "another").ok().await["total"], 0);
    let id = capability["id"].as_str().unwrap();
    admin.call("delete_capability").on("capability_id", id).ok().await;
    assert_eq!(dropped(&here).await, "");
    assert!(first.bedrock().requests().last().is_some_and(has_field));
    within("the other instance to forget", async { while !dropped(&there).await.is_empty() {} }).await;
    assert_eq!(admin.call("list_capabilities").ok().await["items"], json!([]));
    let deeds = admin.call("list_audit").query("object_type", "capability").query("object_id", id).ok().await;
    let deed = &deeds["items"][0];
    assert_eq!((&deed["action"], &deed["before"]["name"]), (&json!("capability.delete"), &json!("wanted_0")));
    end(first, second).await;
}

#[tokio::test]
async fn what_is_not_known_cannot_be_forgotten() {
    let (app, admin) = Administrator::with_app().await;
    let unknown = uuid::Uuid::new_v4();
    let error = admin.call("delete_capability").on("capability_id", unknown).refused(404).await;
    assert!(error["message"].as_str().unwrap().contains(&unknown.to_string()), "{error}");
    admin.call("delete_capability").on("capability_id", "7").refused(400).await;
    admin.call("list_capabilities").query("region", "x".repeat(33)).refused(422).await;
    app.stop().await;
}
