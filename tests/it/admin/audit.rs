//! The audit log: all that was done, found again by whom, when and to what.

use chrono::Utc;
use serde_json::{Value, json};
use support::Administrator;

fn actions(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_was_done_is_found_again() {
    let (app, admin) = Administrator::with_app().await;
    let begun = Utc::now();
    let user = admin.call("create_user").json(json!({ "name": "Grace" })).ok().await;
    let id = user["id"].as_str().unwrap();
    let change = admin.call("update_user").on("user_id", id).json(json!({ "name": "Grace H." })).send().await;
    admin.call("create_user").json(json!({ "name": "Alan" })).ok().await;
    let list = |name: &'static str, value: &str| admin.call("list_audit").query(name, value);
    assert_eq!(
        actions(&admin.call("list_audit").ok().await),
        ["user.create", "user.change", "user.create", "session.create"]
    );
    let of_user = list("object_id", id).query("object_type", "user").ok().await;
    assert_eq!((actions(&of_user), &of_user["total"]), (vec!["user.change", "user.create"], &json!(2)));
    let entry = &of_user["items"][0];
    assert_eq!((&entry["actor"], &entry["address"]), (&json!("ada"), &json!("127.0.0.1")));
    assert_eq!((&entry["before"]["name"], &entry["after"]["name"]), (&json!("Grace"), &json!("Grace H.")));
    assert_eq!(entry["request_id"], change.header("x-ccp-request-id"));
    assert!(of_user["items"][1]["before"].is_null());
    assert_eq!(list("action", "user.change").ok().await["total"], 1);
    assert_eq!(list("actor", "ada").ok().await["total"], 4);
    assert_eq!(list("actor", "nobody").ok().await["total"], 0);
    // The database's clock is this machine's.
    assert_eq!(list("from", &begun.to_rfc3339()).ok().await["total"], 3);
    assert_eq!(actions(&list("to", &begun.to_rfc3339()).ok().await), ["session.create"]);
    app.stop().await;
}

#[tokio::test]
async fn pages_are_stable_while_more_is_done() {
    let (app, admin) = Administrator::with_app().await;
    for name in ["a", "b", "c"] {
        admin.call("create_user").json(json!({ "name": name })).ok().await;
    }
    let first = admin.call("list_audit").query("limit", 2).ok().await;
    admin.call("create_user").json(json!({ "name": "d" })).ok().await;
    let second = admin.call("list_audit").query("limit", 2).query("cursor", first["next"].as_str().unwrap()).ok().await;
    let ids: Vec<_> =
        [&first, &second].iter().flat_map(|page| page["items"].as_array().unwrap()).map(|e| e["id"].as_u64()).collect();
    assert!(ids.len() == 4 && ids.is_sorted_by(|a, b| a > b), "{ids:?}");
    assert_eq!((&second["next"], &second["total"]), (&Value::Null, &json!(5)));
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_looked_for_is_told() {
    let (app, admin) = Administrator::with_app().await;
    for (name, value, status) in [
        ("from", "yesterday".to_owned(), 400),
        ("limit", "501".to_owned(), 422),
        ("cursor", "x".to_owned(), 422),
        ("action", "x".repeat(65), 422),
        ("object_id", "a\0b".to_owned(), 422),
    ] {
        admin.call("list_audit").query(name, value).refused(status).await;
    }
    app.stop().await;
}
