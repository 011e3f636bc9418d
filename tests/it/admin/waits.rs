//! Nothing that an administrator asks for waits for ever.

use serde_json::json;
use support::{Administrator, within};
use tokio::task::JoinSet;

/// Whatever holds a user or the whole table: changes and lists are given up, and the next ones find a connection.
#[tokio::test]
async fn what_waits_for_a_lock_is_given_up() {
    let (app, admin) = Administrator::with_app().await;
    let user = admin.call("create_user").json(json!({ "name": "Grace" })).ok().await;
    let id = user["id"].as_str().unwrap().to_owned();
    let mut lock = app.around().database.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE users IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    // As many as there are connections.
    let mut waiting = JoinSet::new();
    for number in 0..4 {
        let (admin, id) = (admin.clone(), id.clone());
        waiting.spawn(async move {
            let change = admin.call("update_user").on("user_id", id).json(json!({ "description": number.to_string() }));
            let call = if number == 0 { admin.call("list_users") } else { change };
            call.refused(503).await["code"].clone()
        });
    }
    let refused = within("all of them to be refused", waiting.join_all()).await;
    assert_eq!(
        refused,
        [json!("database_away"), json!("database_away"), json!("database_away"), json!("database_away")]
    );
    lock.rollback().await.unwrap();
    assert_eq!(admin.call("get_user").on("user_id", &id).ok().await, user, "nothing was changed");
    app.stop().await;
}
