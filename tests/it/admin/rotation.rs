//! Rotation: a new key takes the place of an old one, which works on for a while.

use serde_json::{Value, json};
use sqlx::postgres::PgListener;
use support::evidence::secret;
use support::{Administrator, Answer, Client, Reply, TestApp, within};

use super::keys::{Developer, forgetful_app, until_refused};

async fn rotate(admin: &Administrator, developer: &Developer, grace_seconds: u32) -> (Value, Developer) {
    let call = admin.call("rotate_access_key").on("access_key_id", &developer.key_id);
    let rotated = call.json(json!({ "grace_seconds": grace_seconds })).ok().await;
    let new = Developer {
        user_id: developer.user_id.clone(),
        key_id: rotated["access_key"]["id"].as_str().unwrap().to_owned(),
        key: secret(rotated["key"].as_str().unwrap()),
    };
    (rotated, new)
}

async fn falls_back(app: &TestApp, client: &Client, bedrock_key: &str) {
    app.plan().enqueue(Reply::plan_error(400, "invalid_request_error", "no"));
    assert_eq!(client.ask().await.status, 400, "the plan is asked");
    let request = client.without_login(reqwest::Method::POST, "/v1/messages").body(client.body(false));
    app.bedrock().enqueue(Reply::bedrock_json(&Answer::text("ok")));
    assert_eq!(support::get(request).await.status, 200);
    let asked = app.bedrock().next_request().await;
    assert_eq!(asked.header("authorization"), Some(format!("Bearer {bedrock_key}").as_str()));
}

/// Old and new work side by side in the grace period, with the same Bedrock key.
#[tokio::test]
async fn the_new_key_takes_over_everything() {
    let (app, admin) = forgetful_app().await;
    let (old, bedrock_key) = Developer::with_bedrock_key(&admin).await;
    let change = json!({
        "label": "laptop", "region": "us-east-1", "model": "us.anthropic.claude-opus-5-5",
        "family_models": { "haiku": "us.anthropic.claude-haiku-5-5" },
    });
    admin.call("update_access_key").on("access_key_id", &old.key_id).json(change).ok().await;
    let before = admin.call("get_access_key").on("access_key_id", &old.key_id).ok().await;
    let (rotated, new) = rotate(&admin, &old, 3600).await;
    assert_ne!(old.key, new.key);
    for name in ["user_id", "label", "region", "model", "family_models", "has_bedrock_key"] {
        assert_eq!(rotated["access_key"][name], before[name], "{name}");
        assert_eq!(rotated["previous"][name], before[name], "{name}");
    }
    assert_eq!(
        (&rotated["access_key"]["status"], &rotated["previous"]["status"]),
        (&json!("active"), &json!("rotating"))
    );
    let end: chrono::DateTime<chrono::Utc> =
        rotated["previous"]["rotation_expires_at"].as_str().unwrap().parse().unwrap();
    assert!((3500..=3600).contains(&(end - chrono::Utc::now()).num_seconds()), "{end}");
    falls_back(&app, &old.client(&app), &bedrock_key).await;
    falls_back(&app, &new.client(&app), &bedrock_key).await;
    let of_old = admin.call("rotate_access_key").on("access_key_id", &old.key_id).json(json!({}));
    assert_eq!(of_old.refused(409).await["code"], "access_key_rotating");
    let (again, _) = rotate(&admin, &new, 604_800).await;
    assert_eq!(again["previous"]["id"], json!(new.key_id));
    app.stop().await;
}

/// The end of the grace period counts at once, from memory too and without the database; then the key is revoked, its
/// Bedrock key removed, and every instance told.
#[tokio::test]
async fn the_old_key_ends_with_its_grace_period() {
    let (app, admin) = Administrator::with_app().await;
    let (old, _) = Developer::with_bedrock_key(&admin).await;
    let mut news = PgListener::connect(app.around().database.url()).await.unwrap();
    news.listen("claude_code_proxy_changes").await.unwrap();
    app.plan().otherwise(|_| Reply::plan_json(&Answer::text("ok")));
    let (_, new) = rotate(&admin, &old, 2).await;
    let told = format!("access_key {}", old.key_id);
    assert_eq!(within("news", news.recv()).await.unwrap().payload(), told);
    for developer in [&old, &new] {
        assert_eq!(developer.client(&app).ask().await.status, 200);
    }
    app.around().database.take_away().await;
    until_refused(&old.client(&app), 200).await;
    assert_eq!(new.client(&app).ask().await.status, 200);
    app.around().database.bring_back().await;
    let ended = within("the old key to be revoked", async {
        loop {
            let query =
                sqlx::query_as("SELECT status, revoked_at >= rotation_expires_at FROM access_keys WHERE id = $1::uuid");
            let row: (String, Option<bool>) =
                query.bind(&old.key_id).fetch_one(&app.around().database.pool).await.unwrap();
            if row.0 != "rotating" {
                return row;
            }
        }
    });
    assert_eq!(ended.await, ("revoked".to_owned(), Some(true)));
    let shown = admin.call("get_access_key").on("access_key_id", &old.key_id).ok().await;
    assert_eq!(shown["has_bedrock_key"], false);
    let shown = admin.call("get_access_key").on("access_key_id", &new.key_id).ok().await;
    assert_eq!((&shown["has_bedrock_key"], &shown["status"]), (&json!(true), &json!("active")));
    let query = "SELECT action, actor FROM audit_log WHERE object_id = $1 ORDER BY id DESC LIMIT 2";
    let mut deeds: Vec<(String, String)> =
        sqlx::query_as(query).bind(&old.key_id).fetch_all(&app.around().database.pool).await.unwrap();
    deeds.sort();
    let by = |action: &str| (action.to_owned(), "the end of the grace period".to_owned());
    assert_eq!(deeds, [by("access_key.revoke"), by("bedrock_key.delete")]);
    app.stop().await;
}

/// Other instances are told of the end by the statement that makes it.
#[tokio::test]
async fn the_end_of_a_grace_period_is_announced() {
    let (app, admin) = Administrator::with_app().await;
    let (old, _) = Developer::with_bedrock_key(&admin).await;
    rotate(&admin, &old, 1).await;
    let mut news = PgListener::connect(app.around().database.url()).await.unwrap();
    news.listen("claude_code_proxy_changes").await.unwrap();
    assert_eq!(within("news", news.recv()).await.unwrap().payload(), format!("access_key {}", old.key_id));
    app.stop().await;
}

#[tokio::test]
async fn without_a_grace_period_the_old_key_is_over_at_once() {
    let (app, admin) = forgetful_app().await;
    let (old, bedrock_key) = Developer::with_bedrock_key(&admin).await;
    let (rotated, new) = rotate(&admin, &old, 0).await;
    let previous = &rotated["previous"];
    assert_eq!((&previous["status"], &previous["has_bedrock_key"]), (&json!("revoked"), &json!(false)));
    assert_eq!(old.client(&app).ask().await.status, 403);
    falls_back(&app, &new.client(&app), &bedrock_key).await;
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_handed_over_is_told() {
    let (app, admin) = Administrator::with_app().await;
    let (developer, _) = Developer::with_bedrock_key(&admin).await;
    let rotation = || admin.call("rotate_access_key").on("access_key_id", &developer.key_id);
    let error = rotation().json(json!({ "grace_seconds": 604_801 })).refused(422).await;
    assert_eq!(error["fields"][0]["name"], "grace_seconds");
    rotation().json(json!({ "grace_seconds": -1 })).refused(400).await;
    rotation().json(json!({ "grace": 1 })).refused(400).await;
    let damage =
        "UPDATE bedrock_keys SET encrypted_key = set_byte(encrypted_key, 20, 255 - get_byte(encrypted_key, 20))";
    sqlx::query(damage).execute(&app.around().database.pool).await.unwrap();
    assert_eq!(rotation().json(json!({})).refused(409).await["code"], "cannot_be_opened");
    let keys = admin.call("list_access_keys").on("user_id", &developer.user_id).ok().await;
    assert_eq!((&keys["total"], &keys["items"][0]["status"]), (&json!(1), &json!("active")));
    app.stop().await;
}
