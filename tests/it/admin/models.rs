//! The map of models: added to, changed, and in effect with the next request.

use serde_json::{Value, json};
use support::{Administrator, Client, TestApp, within};

use super::{end, two_instances};

/// What Bedrock was asked for last.
fn asked(app: &TestApp) -> String {
    app.bedrock().requests().last().unwrap().path().to_owned()
}

#[tokio::test]
async fn a_model_serves_at_once_here_and_soon_elsewhere() {
    let (first, second, admin, key, [here, there]) = two_instances().await;
    admin.call("update_user").on("user_id", key.user_id).json(json!({ "routing": "bedrock_only" })).ok().await;
    within("the routing", async { while there.ask().await.header("x-ccp-provider") != "bedrock" {} }).await;
    let model = |bedrock_model: &str| json!({ "display_name": "Opus 5.5", "bedrock_model": bedrock_model });
    let changed =
        admin.call("update_model").on("model", "claude-opus-5-5").json(model("eu.anthropic.claude-x")).ok().await;
    assert_eq!(
        (&changed["model"], &changed["bedrock_model"]),
        (&json!("claude-opus-5-5"), &json!("eu.anthropic.claude-x"))
    );
    here.ask().await;
    assert!(asked(&first).contains("eu.anthropic.claude-x"), "{}", asked(&first));
    let asked_there = async |client: &Client| {
        client.ask().await;
        asked(&first)
    };
    within("the model", async { while !asked_there(&there).await.contains("eu.anthropic.claude-x") {} }).await;
    admin.call("delete_model").on("model", "claude-opus-5-5").ok().await;
    here.ask().await;
    assert!(asked(&first).contains("global.anthropic.claude-opus-5-5"), "the key's own: {}", asked(&first));
    end(first, second).await;
}

#[tokio::test]
async fn models_are_added_listed_and_removed() {
    let (app, admin) = Administrator::with_app().await;
    let new = json!({ "model": "claude-opus-6", "display_name": "Claude Opus 6", "bedrock_model": "anthropic.claude-opus-6" });
    assert_eq!(admin.call("create_model").json(new.clone()).ok().await, new);
    let first = admin.call("list_models").query("limit", 2).ok().await;
    assert_eq!((&first["items"][0], &first["items"][1]["model"]), (&new, &json!("claude-fable-5-2")));
    let next =
        admin.call("list_models").query("cursor", first["next"].as_str().unwrap()).query("limit", 500).ok().await;
    assert_eq!(json!(next["items"].as_array().unwrap().len() + 2), first["total"]);
    admin.call("delete_model").on("model", "claude-opus-6").ok().await;
    let error = admin.call("delete_model").on("model", "claude-opus-6").refused(404).await;
    assert!(error["message"].as_str().unwrap().contains("claude-opus-6"), "{error}");
    let deeds: Vec<(String, Option<Value>, Option<Value>)> =
        sqlx::query_as("SELECT action, before, after FROM audit_log WHERE object_type = 'model' ORDER BY id")
            .fetch_all(&app.around().database.pool)
            .await
            .unwrap();
    assert_eq!(deeds.iter().map(|(action, ..)| action.as_str()).collect::<Vec<_>>(), ["model.create", "model.delete"]);
    assert!(deeds[0].1.is_none() && deeds[1].2.is_none() && deeds[0].2 == deeds[1].1);
    app.stop().await;
}

#[tokio::test]
async fn a_model_that_cannot_serve_is_refused_by_field() {
    let (app, admin) = Administrator::with_app().await;
    let with = |field: &str, value: Value| {
        let mut model = json!({ "model": "claude-x", "display_name": "X", "bedrock_model": "anthropic.x" });
        model[field] = value;
        model
    };
    for (field, value, status) in [
        ("model", json!("Claude"), 422),
        ("model", json!("x".repeat(129)), 422),
        ("display_name", json!(""), 422),
        ("bedrock_model", json!("claude-opus-5-5"), 422),
        ("bedrock_model", json!("anthropic..x"), 422),
        ("bedrock_model", json!([]), 400),
        ("colour", json!("red"), 400),
    ] {
        let error = admin.call("create_model").json(with(field, value)).refused(status).await;
        assert!(status == 400 || error["fields"][0]["name"] == field, "{error}");
    }
    // A text that the database cannot store is no fault of the database.
    let error = admin.call("create_model").json(with("display_name", json!("a\0b"))).refused(422).await;
    assert_eq!(error["code"], "invalid_value");
    let error = admin.call("create_model").json(with("model", json!("claude-opus-5"))).refused(409).await;
    assert_eq!(error["code"], "model_taken");
    let change = json!({ "display_name": "X", "bedrock_model": "anthropic.x" });
    admin.call("update_model").on("model", "claude-x").json(change.clone()).refused(404).await;
    admin.call("update_model").on("model", "%00").json(change).refused(422).await;
    app.stop().await;
}
