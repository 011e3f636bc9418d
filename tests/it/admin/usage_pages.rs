//! Pages of single requests, and reports that take turns.

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use support::{Administrator, TestDatabase, within};
use uuid::Uuid;

/// Stores so many requests, `apart` from each other, the last of them that long ago.
pub(super) async fn store(database: &TestDatabase, number: u32, apart: &str) {
    let rows = format!(
        "INSERT INTO token_usage (request_id, timestamp, user_id, access_key_id, model, upstream_model, input_tokens,
                                  output_tokens, total_tokens, latency_ms, outcome, session_id, cost_usd)
         SELECT lpad(n::text, 8, '0') || substr(gen_random_uuid()::text, 9), date_trunc('second', now()) - n * interval '{apart}',
                lpad((n % 3)::text, 32, '0')::uuid, lpad((n % 5)::text, 32, '0')::uuid, 'claude-' || n % 2, 'upstream', 1, 2, 3, 4,
                CASE WHEN n % 7 = 0 THEN 'failed' ELSE 'completed' END, 'session ' || n % 10, 0.25
           FROM generate_series(1, {number}) AS n"
    );
    sqlx::query(AssertSqlSafe(rows)).execute(&database.pool).await.unwrap();
    // As the server does by itself after a while.
    sqlx::query("ANALYZE token_usage").execute(&database.pool).await.unwrap();
}

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["request_id"].as_str().unwrap().to_owned()).collect()
}

/// Every request of a list comes once, in its order, with each filter, many of them at the same instant, and whatever is
/// stored meanwhile.
#[tokio::test]
async fn pages_of_requests_are_whole_and_stable_under_inserts() {
    let (app, admin) = Administrator::with_app().await;
    let database = &app.around().database;
    store(database, 60, "1 minute").await;
    store(database, 60, "1 minute").await;
    let user = Uuid::from_u128(2);
    let (user_text, key) = (user.to_string(), Uuid::from_u128(1).to_string());
    for (parameters, condition) in [
        (vec![], "TRUE"),
        (vec![("user_id", user_text.as_str())], "user_id = '00000000-0000-0000-0000-000000000002'"),
        (vec![("access_key_id", &key)], "access_key_id = '00000000-0000-0000-0000-000000000001'"),
        (vec![("model", "claude-1"), ("outcome", "failed")], "model = 'claude-1' AND outcome = 'failed'"),
        (vec![("session_id", "session 3"), ("provider", "bedrock")], "session_id = 'session 3'"),
        (vec![("provider", "plan")], "provider = 'plan'"),
    ] {
        let query =
            format!("SELECT request_id FROM token_usage WHERE {condition} ORDER BY timestamp DESC, request_id DESC");
        let expected: Vec<String> = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&database.pool).await.unwrap();
        let (mut found, mut cursor, mut total) = (Vec::new(), None::<String>, json!(expected.len()));
        loop {
            let call = admin.call("list_usage_requests").query("limit", 7).query("period", "last_7_days");
            let call = parameters.iter().fold(call, |call, (name, value)| call.query(name, value));
            let page = cursor.iter().fold(call, |call, cursor| call.query("cursor", cursor)).ok().await;
            assert_eq!((&page["total"], &page["total_is_at_least"]), (&total, &json!(false)), "{condition}");
            found.extend(ids(&page));
            let Some(next) = page["next"].as_str() else { break };
            cursor = Some(next.to_owned());
            if parameters.is_empty() && found.len() == 7 {
                store(database, 1, "1 second").await;
                total = json!(expected.len() + 1);
            }
        }
        assert_eq!(found, expected, "{condition}");
        sqlx::query("DELETE FROM token_usage WHERE timestamp > now() - interval '30 seconds'")
            .execute(&database.pool)
            .await
            .unwrap();
    }
    app.stop().await;
}

/// A list is counted up to ten thousand, and says so.
#[tokio::test]
async fn what_is_beyond_ten_thousand_is_not_counted() {
    let (app, admin) = Administrator::with_app().await;
    store(&app.around().database, 10_001, "1 second").await;
    let page = admin.call("list_usage_requests").query("limit", 1).ok().await;
    assert_eq!((&page["total"], &page["total_is_at_least"]), (&json!(10_000), &json!(true)));
    let some = admin.call("list_usage_requests").query("limit", 1).query("outcome", "failed").ok().await;
    assert_eq!((&some["total"], &some["total_is_at_least"]), (&json!(1428), &json!(false)));
    app.stop().await;
}

/// A report that takes too long is given up, with what to do about it. PostgreSQL says the same whether it gave up by itself,
/// after the time that the report gives it, or was told to.
#[tokio::test]
async fn a_report_that_takes_too_long_is_given_up() {
    let (app, admin) = Administrator::with_app().await;
    let pool = &app.around().database.pool;
    let mut lock = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE usage_aggregates IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let cancel = "SELECT coalesce(bool_or(pg_cancel_backend(pid)), FALSE) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waited_for = async { while !sqlx::query_scalar::<_, bool>(cancel).fetch_one(pool).await.unwrap() {} };
    let report = admin.call("get_usage");
    let (got, ()) = tokio::join!(report.send(), within("the report to be read", waited_for));
    assert_eq!((got.status, &got.json()["error"]["code"]), (503, &json!("report_too_long")));
    assert_eq!(got.header("retry-after"), "30");
    lock.rollback().await.unwrap();
    admin.call("get_usage").ok().await;
    app.stop().await;
}

/// While reports wait for the database, short operations find a connection, and a report for which there is no place in the
/// queue is told to come back.
#[tokio::test]
async fn reports_take_turns_and_leave_connections_to_others() {
    let (app, admin) = Administrator::with_app().await;
    let mut lock = app.around().database.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE usage_aggregates IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let mut reports: FuturesUnordered<_> =
        (0..23).map(|_| async { admin.call("get_usage").query("period", "today").send().await }).collect();
    let first = within("a report without a place", reports.next()).await.unwrap();
    assert_eq!((first.status, &first.json()["error"]["code"]), (429, &json!("reports_busy")));
    assert!(first.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0));
    let users = async { admin.call("list_users").ok().await };
    tokio::select! {
        users = within("a short operation", users) => assert_eq!(users["total"], 0),
        other = reports.next() => panic!("{other:?} before the table was let go of"),
    }
    lock.rollback().await.unwrap();
    let rest: Vec<_> = within("the other reports", reports.map(|got| got.status).collect()).await;
    assert_eq!(rest, [200; 22]);
    app.stop().await;
}
