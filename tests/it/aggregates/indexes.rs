//! What administrators ask for is found by an index that knows whose it is.

use sqlx::AssertSqlSafe;
use support::TestDatabase;

/// The plan of a query, where reading everything is no choice.
async fn plan(database: &TestDatabase, query: &str) -> String {
    let mut transaction = database.pool.begin().await.unwrap();
    sqlx::query("SET LOCAL enable_seqscan = off").execute(&mut *transaction).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN (COSTS OFF) {query}"));
    let lines: Vec<String> = sqlx::query_scalar(explain).fetch_all(&mut *transaction).await.unwrap();
    lines.join("\n")
}

#[tokio::test]
async fn the_questions_of_administrators_are_answered_by_an_index() {
    let database = TestDatabase::create().await;
    let rows = "INSERT INTO token_usage (request_id, timestamp, user_id, access_key_id, model, upstream_model,
                    input_tokens, output_tokens, total_tokens, latency_ms)
                SELECT gen_random_uuid(), now() - n * interval '1 minute', ('00000000-0000-0000-0000-' || lpad((n % 50)::text, 12, '0'))::uuid,
                       ('00000000-0000-0000-0001-' || lpad((n % 100)::text, 12, '0'))::uuid, 'm', 'u', 1, 1, 2, 1
                  FROM generate_series(1, 20000) AS n";
    super::execute(&database, rows).await;
    let rebuilt = database.open().rebuild_usage("UTC", std::time::Duration::from_hours(24), |_| {}).await;
    assert!(rebuilt.unwrap());
    super::execute(&database, "ANALYZE").await;
    let user = "'00000000-0000-0000-0000-000000000007'";
    let key = "'00000000-0000-0000-0001-000000000007'";
    let week = "now() - interval '7 days'";
    for (query, index, condition) in [
        (
            format!("SELECT * FROM token_usage WHERE user_id = {user} AND timestamp >= {week}"),
            "idx_token_usage_user_timestamp",
            "user_id = ",
        ),
        (
            format!("SELECT * FROM token_usage WHERE access_key_id = {key} AND timestamp >= {week}"),
            "idx_token_usage_access_key_timestamp",
            "access_key_id = ",
        ),
        (
            "SELECT * FROM token_usage WHERE session_id = 's' ORDER BY timestamp DESC LIMIT 50".to_owned(),
            "idx_token_usage_session_timestamp",
            "session_id",
        ),
        (
            format!("SELECT count(*) FROM token_usage WHERE timestamp >= {week}"),
            "idx_token_usage_timestamp",
            "\"timestamp\" >= ",
        ),
        (
            format!("SELECT * FROM usage_aggregates WHERE bucket_type = 'day' AND bucket_start >= {week} AND access_key_id IS NULL"),
            "usage_aggregates_bucket_key",
            "bucket_start >= ",
        ),
        (
            format!(
                "SELECT * FROM usage_aggregates WHERE user_id = {user} AND bucket_type = 'hour' AND bucket_start >= {week}
                    AND access_key_id IS NULL"
            ),
            "idx_usage_aggregates_user",
            "user_id = ",
        ),
        (
            format!("SELECT * FROM usage_aggregates WHERE access_key_id = {key} AND bucket_type = 'hour' AND bucket_start >= {week}"),
            "idx_usage_aggregates_access_key",
            "access_key_id = ",
        ),
    ] {
        let plan = plan(&database, &query).await;
        let conditions = plan.lines().filter(|line| line.contains("Index Cond"));
        let by_index = conditions.into_iter().any(|line| line.contains(condition));
        assert!(plan.contains(index) && by_index, "{query}\n{plan}");
    }
}
