//! It is known when a key was last used.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;

async fn last_used(database: &TestDatabase, key: &IssuedKey) -> Option<DateTime<Utc>> {
    let query = sqlx::query_scalar("SELECT last_used_at FROM access_keys WHERE id = $1").bind(key.id);
    query.fetch_one(&database.pool).await.unwrap()
}

/// Every kind of request counts, and whatever becomes of it. Nothing waits for it to be written: at the latest at the end it is.
#[tokio::test]
async fn each_use_of_a_key_is_noted() {
    let (app, client, used) = app_and_client().await;
    let (native, refused, unused) = (app.key().await, app.issue(KeyWish::without_bedrock()).await, app.key().await);
    let before = Utc::now();
    app.plan().enqueue(Reply::plan_json(&billed()));
    assert_eq!(client.ask().await.status, 200);
    app.bedrock().enqueue(Reply::json(200, "{}"));
    assert_eq!(get(Client::of(&app, &native).request(Method::GET, "/inference-profiles")).await.status, 200);
    assert_eq!(get(Client::of(&app, &refused).request(Method::GET, "/inference-profiles")).await.status, 403);
    let after = Utc::now();
    let around = app.stop().await;
    // PostgreSQL rounds to microseconds.
    let range = before - TimeDelta::microseconds(1)..=after + TimeDelta::microseconds(1);
    for key in [&used, &native, &refused] {
        let last = last_used(&around.database, key).await.expect("a moment");
        assert!(range.contains(&last), "{last} in {range:?}");
    }
    assert_eq!(last_used(&around.database, &unused).await, None);
}

/// However many instances write, a row changes once a minute at the most, and never backwards.
#[tokio::test]
async fn a_key_is_written_once_a_minute() {
    let around = Surroundings::start().await;
    let database = around.database.open();
    let (one, other) = (around.issue(KeyWish::default()).await, around.issue(KeyWish::default()).await);
    let start: DateTime<Utc> = "2026-03-01T00:30:00Z".parse().unwrap();
    let at = |seconds| start + TimeDelta::seconds(seconds);
    for (uses, written, last) in [
        (vec![(one.id, at(0)), (other.id, at(0)), (Uuid::nil(), at(0))], 2, at(0)),
        (vec![(one.id, at(59))], 0, at(0)),
        (vec![(one.id, at(60)), (other.id, at(1))], 1, at(60)),
        (vec![(one.id, at(-3600))], 0, at(60)),
        (vec![], 0, at(60)),
    ] {
        assert_eq!(database.keys_used(&uses).await.unwrap(), written, "{uses:?}");
        assert_eq!(last_used(&around.database, &one).await, Some(last));
    }
}

/// B-79: while the database is away nobody waits, and what was noted is written when it is back.
#[tokio::test]
async fn a_use_is_not_lost_with_the_database() {
    let (app, client, key) = app_and_client().await;
    app.plan().otherwise(|_| Reply::plan_json(&billed()));
    client.ask().await;
    app.around().database.take_away().await;
    let before = Utc::now();
    assert_eq!(client.ask().await.status, 200);
    app.around().database.bring_back().await;
    let around = app.stop().await;
    assert!(last_used(&around.database, &key).await.unwrap() >= before - TimeDelta::microseconds(1));
}
