//! Users: made, listed, changed.

use serde_json::{Value, json};
use support::Administrator;

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_user_is_made_shown_and_changed() {
    let (app, admin) = Administrator::with_app().await;
    let made = admin.call("create_user").json(json!({ "name": "Grace", "monthly_budget_usd": "49.90" })).ok().await;
    let expected = json!({
        "id": made["id"], "name": "Grace", "status": "active", "routing": "plan_first", "monthly_budget_usd": "49.9",
        "access_keys": 0, "created_at": made["created_at"], "updated_at": made["updated_at"],
    });
    assert_eq!(made, expected);
    let id = made["id"].as_str().unwrap();
    assert_eq!(admin.call("get_user").on("user_id", id).ok().await, made);
    let change = json!({ "description": "compilers", "routing": "bedrock_only", "monthly_budget_usd": null });
    let changed = admin.call("update_user").on("user_id", id).json(change).ok().await;
    assert_eq!((&changed["description"], &changed["routing"]), (&json!("compilers"), &json!("bedrock_only")));
    assert_eq!((&changed["monthly_budget_usd"], &changed["name"]), (&Value::Null, &json!("Grace")));
    let deeds: Vec<(String, String, Option<Value>, Value)> = sqlx::query_as(
        "SELECT actor, action, before, after FROM audit_log WHERE object_type = 'user' AND object_id = $1 ORDER BY id",
    )
    .bind(id)
    .fetch_all(&app.around().database.pool)
    .await
    .unwrap();
    assert_eq!(deeds.len(), 2);
    assert_eq!((deeds[0].0.as_str(), deeds[0].1.as_str(), &deeds[0].2), ("ada", "user.create", &None));
    let (_, action, before, after) = &deeds[1];
    let before = before.as_ref().unwrap();
    assert_eq!((action.as_str(), &before["monthly_budget_usd"]), ("user.change", &json!("49.90")));
    assert_eq!((&after["monthly_budget_usd"], &after["description"]), (&Value::Null, &json!("compilers")));
    app.stop().await;
}

/// A page begins where the one before ended, whatever was added meanwhile.
#[tokio::test]
async fn pages_are_stable_under_inserts() {
    let (app, admin) = Administrator::with_app().await;
    for number in 0..5 {
        admin.call("create_user").json(json!({ "name": format!("user {number}") })).ok().await;
    }
    let first = admin.call("list_users").query("limit", 2).ok().await;
    assert_eq!((names(&first), &first["total"]), (vec!["user 4", "user 3"], &json!(5)));
    admin.call("create_user").json(json!({ "name": "of the meantime" })).ok().await;
    let second = admin.call("list_users").query("limit", 2).query("cursor", first["next"].as_str().unwrap()).ok().await;
    assert_eq!(names(&second), ["user 2", "user 1"]);
    let last = admin.call("list_users").query("limit", 2).query("cursor", second["next"].as_str().unwrap()).ok().await;
    assert_eq!((names(&last), &last["next"], &last["total"]), (vec!["user 0"], &Value::Null, &json!(6)));
    let found = admin.call("list_users").query("search", "MEAN").query("status", "active").ok().await;
    assert_eq!(names(&found), ["of the meantime"]);
    assert_eq!(names(&admin.call("list_users").query("search", "%").ok().await), Vec::<&str>::new());
    app.stop().await;
}

/// Bad input is told by field, with the value's own status, and changes nothing.
#[tokio::test]
async fn bad_input_is_told_by_field() {
    let (app, admin) = Administrator::with_app().await;
    let id = admin.call("create_user").json(json!({ "name": "Grace" })).ok().await["id"].as_str().unwrap().to_owned();
    for (body, status, code, field) in [
        (json!({ "name": "Grace" }), 409, "user_name_taken", None),
        (json!({ "name": "" }), 422, "invalid_field", Some("name")),
        (json!({ "name": " Grace" }), 422, "invalid_field", Some("name")),
        (json!({ "name": "x".repeat(256) }), 422, "invalid_field", Some("name")),
        (json!({ "name": "x", "monthly_budget_usd": "-1" }), 422, "invalid_field", Some("monthly_budget_usd")),
        (json!({ "name": "x", "monthly_budget_usd": [] }), 400, "malformed", None),
        (json!({ "name": "x", "role": "admin" }), 400, "malformed", None),
        (json!({}), 400, "malformed", Some("name")),
        (json!({ "name": "x", "routing": "plan" }), 400, "malformed", Some("routing")),
        (json!([]), 400, "malformed", None),
    ] {
        let error = admin.call("create_user").json(body.clone()).refused(status).await;
        assert_eq!((&error["code"], &error["fields"][0]["name"]), (&json!(code), &json!(field)), "{body}: {error}");
    }
    let unknown = uuid::Uuid::new_v4();
    let error = admin.call("get_user").on("user_id", unknown).refused(404).await;
    assert!(error["message"].as_str().unwrap().contains(&unknown.to_string()), "{error}");
    admin.call("get_user").on("user_id", "7").refused(400).await;
    admin.call("update_user").on("user_id", unknown).json(json!({})).refused(404).await;
    admin.call("update_user").on("user_id", id).json(json!({ "name": [], "description": {} })).refused(400).await;
    admin.call("list_users").query("limit", 0).refused(422).await;
    admin.call("list_users").query("limit", "many").refused(400).await;
    admin.call("list_users").query("cursor", "made-up").refused(422).await;
    assert_eq!(admin.call("list_users").ok().await["total"], 1);
    app.stop().await;
}

/// What is refused before an operation has it is told by its name, with what has to be there instead.
#[tokio::test]
async fn what_has_to_be_there_instead_is_told() {
    let (app, admin) = Administrator::with_app().await;
    let (create, list) = (|| admin.call("create_user"), || admin.call("list_users"));
    let show = admin.call("get_user").on("user_id", "7");
    let rotate = admin.call("rotate_access_key").on("access_key_id", uuid::Uuid::new_v4());
    for (call, status, field, words) in [
        (create().json(json!({})), 400, Some("name"), "it is missing"),
        (create().json(json!({ "name": " " })), 422, Some("name"), "one line of text"),
        (create().json(json!({ "name": "x".repeat(256) })), 422, Some("name"), "255 characters at the most"),
        (create().json(json!({ "name": "x", "routing": "plan" })), 400, Some("routing"), "plan_first, bedrock_only"),
        (
            create().json(json!({ "name": "x", "monthly_budget_usd": "-1" })),
            422,
            Some("monthly_budget_usd"),
            "write it like \"12.50\"",
        ),
        (list().query("limit", 0), 422, Some("limit"), "1 at the least"),
        (list().query("limit", "many"), 400, Some("limit"), "a whole number"),
        (list().query("status", "gone"), 400, Some("status"), "one of active, inactive"),
        (show, 400, Some("user_id"), "a UUID"),
        (rotate.header("content-type", "application/json"), 400, None, "there is none; send a JSON object"),
    ] {
        let error = call.refused(status).await;
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
        assert_eq!(error["fields"][0]["name"], json!(field), "{error}");
    }
    // To whoever is not logged in nothing of that is told.
    Administrator::at(app.url()).call("create_user").json(json!({})).refused(401).await;
    app.stop().await;
}
