//! Requests with an `Idempotency-Key`: made once, however often they come.

use serde_json::{Value, json};
use support::administrator::Call;
use support::evidence::secret;
use support::{Administrator, TestDatabase, within};
use uuid::Uuid;

use super::keys::Developer;

fn fresh() -> String {
    Uuid::new_v4().to_string()
}

fn create(admin: &Administrator, name: &str, key: &str) -> Call {
    admin.call("create_user").header("idempotency-key", key).json(json!({ "name": name }))
}

async fn count(database: &TestDatabase, table: &str) -> i64 {
    let query = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(query).fetch_one(&database.pool).await.unwrap()
}

#[tokio::test]
async fn the_same_request_has_the_same_answer() {
    let (app, admin) = Administrator::with_app().await;
    let key = fresh();
    let user = create(&admin, "Grace", &key).ok().await;
    admin.call("update_user").on("user_id", user["id"].as_str().unwrap()).json(json!({ "name": "Hopper" })).ok().await;
    assert_eq!(create(&admin, "Grace", &key).ok().await, user, "as it was answered, not as it is now");
    assert_eq!(admin.call("list_users").ok().await["total"], 1);
    let (issue_with, rotate_with) = (fresh(), fresh());
    let issue = |body: Value| {
        let call = admin.call("create_access_key").on("user_id", user["id"].as_str().unwrap());
        call.header("idempotency-key", &issue_with).json(body)
    };
    let issued = issue(json!({ "label": "laptop" })).ok().await;
    secret(issued["key"].as_str().unwrap());
    assert_eq!(issue(json!({ "label": "laptop" })).ok().await, issued);
    let id = issued["access_key"]["id"].as_str().unwrap();
    admin.call("put_bedrock_key").on("access_key_id", id).json(json!({ "key": secret("ABSKZm9v") })).ok().await;
    let rotate = || {
        let call = admin.call("rotate_access_key").on("access_key_id", id);
        call.header("idempotency-key", &rotate_with).json(json!({ "grace_seconds": 60 }))
    };
    let rotated = rotate().ok().await;
    secret(rotated["key"].as_str().unwrap());
    assert_eq!(rotate().ok().await, rotated);
    assert_eq!(count(&app.around().database, "access_keys").await, 2);
    app.stop().await;
}

/// Models and prices are made once as well.
#[tokio::test]
async fn what_models_are_and_cost_is_added_once() {
    let (app, admin) = Administrator::with_app().await;
    let model =
        json!({ "model": "claude-opus-6", "display_name": "Opus 6", "bedrock_model": "anthropic.claude-opus-6" });
    let price = json!({
        "model": "anthropic.claude-opus-6", "input_price_usd": "1.50", "output_price_usd": "2",
        "cache_read_price_usd": "0.5", "cache_write_5m_price_usd": "1.25", "cache_write_1h_price_usd": "2",
        "source": "a test",
    });
    for (operation, body, list) in [("create_model", model, "list_models"), ("create_price", price, "list_prices")] {
        let before = admin.call(list).ok().await["total"].as_u64().unwrap();
        let call = admin.call(operation).header("idempotency-key", fresh()).json(body);
        let made = call.ok().await;
        assert_eq!(call.ok().await, made, "{operation}");
        assert_eq!(admin.call(list).ok().await["total"], before + 1, "{operation}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_key_that_was_for_something_else_is_refused() {
    let (app, admin) = Administrator::with_app().await;
    let developer = Developer::made_by(&admin).await;
    let key = fresh();
    create(&admin, "Grace", &key).ok().await;
    for call in [
        create(&admin, "Ada", &key),
        admin
            .call("create_access_key")
            .on("user_id", &developer.user_id)
            .header("idempotency-key", &key)
            .json(json!({})),
        admin
            .call("rotate_access_key")
            .on("access_key_id", &developer.key_id)
            .header("idempotency-key", &key)
            .json(json!({})),
    ] {
        assert_eq!(call.refused(422).await["code"], "idempotency_key_reused");
    }
    for wrong in [String::new(), "x".repeat(256), "tab\tin it".to_owned()] {
        let error = create(&admin, "Ada", &wrong).refused(422).await;
        assert_eq!(error["fields"][0]["name"], "Idempotency-Key", "{error}");
    }
    // Such a key is no text, so that it could be taken for none.
    let error = create(&admin, "Ada", "schl\u{fc}ssel").refused(400).await;
    assert_eq!(error["fields"][0]["name"], "Idempotency-Key", "{error}");
    // What was refused was not made, and may be tried again.
    let again = fresh();
    assert_eq!(create(&admin, "Grace", &again).refused(409).await["code"], "user_name_taken");
    create(&admin, "Ada", &again).ok().await;
    app.stop().await;
}

#[tokio::test]
async fn two_at_the_same_moment_make_one() {
    let (app, admin) = Administrator::with_app().await;
    let developer = Developer::made_by(&admin).await;
    let before = count(&app.around().database, "access_keys").await;
    for _ in 0..5 {
        let key = fresh();
        let issue = || {
            let call = admin.call("create_access_key").on("user_id", &developer.user_id);
            call.header("idempotency-key", &key).json(json!({}))
        };
        let (one, other, third) = (issue(), issue(), issue());
        let (one, other, third) = tokio::join!(one.ok(), other.ok(), third.ok());
        secret(one["key"].as_str().unwrap());
        assert_eq!((&one, &one), (&other, &third));
    }
    assert_eq!(count(&app.around().database, "access_keys").await, before + 5);
    app.stop().await;
}

/// After a day a request is a new one, whether or not what was kept has been cleared yet.
#[tokio::test]
async fn answers_are_forgotten_after_a_day() {
    let (app, admin) = Administrator::with_app().await;
    let database = &app.around().database;
    let (known, old) = (fresh(), fresh());
    let known_user = create(&admin, "known", &known).ok().await;
    create(&admin, "old", &old).ok().await;
    let age = "UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = $1";
    sqlx::query(age).bind(&old).execute(&database.pool).await.unwrap();
    create(&admin, "new", &old).ok().await;
    sqlx::query(age).bind(&old).execute(&database.pool).await.unwrap();
    within("what is old to be cleared", async { while count(database, "idempotency_keys").await != 1 {} }).await;
    assert_eq!(create(&admin, "known", &known).ok().await, known_user);
    app.stop().await;
}
