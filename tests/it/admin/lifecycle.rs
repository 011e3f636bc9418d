//! Users come and go, and their keys with them.

use reqwest::Method;
use serde_json::{Value, json};
use support::{Answer, Reply, get};
use uuid::Uuid;

use super::keys::{Developer, forgetful_app, until_refused};

/// While a user is inactive no key of the user works; afterwards they do, without Bedrock.
#[tokio::test]
async fn a_user_is_deactivated_and_reactivated() {
    let (app, admin) = forgetful_app().await;
    let (developer, _) = Developer::with_bedrock_key(&admin).await;
    app.plan().otherwise(|_| Reply::plan_json(&Answer::text("ok")));
    let client = developer.client(&app);
    assert_eq!(client.ask().await.status, 200);
    for _ in 0..2 {
        let user = admin.call("deactivate_user").on("user_id", &developer.user_id).ok().await;
        assert_eq!(user["status"], "inactive");
    }
    until_refused(&client, 200).await;
    let key = || admin.call("get_access_key").on("access_key_id", &developer.key_id);
    let shown = key().ok().await;
    assert_eq!((&shown["status"], &shown["has_bedrock_key"]), (&json!("active"), &json!(false)));
    for call in [
        admin.call("create_access_key").on("user_id", &developer.user_id).json(json!({})),
        admin.call("put_bedrock_key").on("access_key_id", &developer.key_id).json(json!({ "key": "ABSKx" })),
        admin.call("rotate_access_key").on("access_key_id", &developer.key_id).json(json!({})),
    ] {
        assert_eq!(call.refused(409).await["code"], "user_inactive");
    }
    for _ in 0..2 {
        let user = admin.call("reactivate_user").on("user_id", &developer.user_id).ok().await;
        assert_eq!(user["status"], "active");
    }
    support::within("the key to work again", async { while client.ask().await.status != 200 {} }).await;
    let got = get(client.without_login(Method::POST, "/v1/messages").body(client.body(false))).await;
    assert_eq!(got.status, 403, "Bedrock serves no more: {got:?}");
    let actions: Vec<String> = sqlx::query_scalar(
        "SELECT action FROM audit_log WHERE object_id = $1 AND object_type = 'user'
         UNION ALL SELECT action FROM audit_log WHERE object_id = $2 AND object_type = 'bedrock_key'",
    )
    .bind(&developer.user_id)
    .bind(&developer.key_id)
    .fetch_all(&app.around().database.pool)
    .await
    .unwrap();
    let expected = ["user.create", "user.deactivate", "user.reactivate", "bedrock_key.put", "bedrock_key.delete"];
    assert_eq!(actions, expected);
    app.stop().await;
}

/// A deleted user is gone but for usage and audit log; the name is free again.
#[tokio::test]
async fn a_user_is_deleted_with_all_keys() {
    let (app, admin) = forgetful_app().await;
    let (developer, _) = Developer::with_bedrock_key(&admin).await;
    let second = admin.call("create_access_key").on("user_id", &developer.user_id).json(json!({})).ok().await;
    let of_user = |operation| admin.call(operation).on("user_id", &developer.user_id);
    let name = of_user("get_user").ok().await["name"].take();
    of_user("delete_user").ok().await;
    assert_eq!(developer.client(&app).ask().await.status, 403);
    for key in [&developer.key_id, second["access_key"]["id"].as_str().unwrap()] {
        let shown = admin.call("get_access_key").on("access_key_id", key).ok().await;
        assert_eq!((&shown["status"], &shown["has_bedrock_key"]), (&json!("revoked"), &json!(false)));
    }
    for call in [
        of_user("get_user"),
        of_user("delete_user"),
        of_user("deactivate_user"),
        of_user("reactivate_user"),
        of_user("list_access_keys"),
        of_user("create_access_key").json(json!({})),
        of_user("update_user").json(json!({ "description": "back" })),
        admin.call("delete_user").on("user_id", Uuid::new_v4()),
    ] {
        assert_eq!(call.refused(404).await["code"], "not_found");
    }
    assert_eq!(admin.call("list_users").ok().await["total"], 0);
    admin.call("create_user").json(json!({ "name": name })).ok().await;
    let rows: Vec<(String, i64, Option<Value>)> = sqlx::query_as(
        "SELECT action, count(*), min(after::text)::jsonb FROM audit_log
          WHERE action IN ('user.delete', 'access_key.revoke', 'bedrock_key.delete') GROUP BY action ORDER BY action",
    )
    .fetch_all(&app.around().database.pool)
    .await
    .unwrap();
    let counts: Vec<(&str, i64)> = rows.iter().map(|(action, count, _)| (action.as_str(), *count)).collect();
    assert_eq!(counts, [("access_key.revoke", 2), ("bedrock_key.delete", 1), ("user.delete", 1)]);
    assert_eq!(rows[0].2.as_ref().unwrap()["status"], "revoked");
    app.stop().await;
}
