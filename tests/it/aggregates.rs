//! Sums of usage: where their buckets begin, that they are those of the rows, and how they are looked after.

mod changes;
mod indexes;
mod retention;
mod verify;
mod writers;
mod zones;

use chrono::{DateTime, TimeDelta, Utc};
use claude_code_proxy::domain::{Cost, Outcome, Provider, TokenUsage, UnitPrices, UsageRecord};
use support::TestDatabase;
use uuid::Uuid;

/// A user or a key of this number.
fn id(number: u64) -> Uuid {
    Uuid::from_u64_pair(0, number)
}

/// A record of this user and key that arrived then.
fn record(user: u64, key: u64, timestamp: DateTime<Utc>) -> UsageRecord {
    let price = "3".parse().unwrap();
    let prices =
        UnitPrices { input: price, output: price, cache_read: price, cache_write_5m: price, cache_write_1h: price };
    UsageRecord {
        request_id: Uuid::new_v4(),
        timestamp,
        user_id: id(user),
        access_key_id: id(key),
        model: "claude-opus-5-5".to_owned(),
        upstream_model: "global.anthropic.claude-opus-5-5".to_owned(),
        upstream_message_id: None,
        tokens: TokenUsage { input: 3, output: 550, cache_read: 40, cache_creation: 7, ..TokenUsage::default() },
        estimated: false,
        cost: Some(Cost { usd: "0.0018000001".parse().unwrap(), prices, priced: true }),
        provider: Provider::Bedrock,
        is_fallback: false,
        route: claude_code_proxy::domain::Route::default(),
        latency_ms: 1,
        time_to_first_token_ms: None,
        outcome: Outcome::Completed,
        session_id: None,
        agent_id: None,
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Records of two users with three keys, some minutes apart, over two months and until an hour ago.
fn two_months() -> Vec<UsageRecord> {
    let now = Utc::now();
    (0..300_u64)
        .map(|number| {
            let age = TimeDelta::minutes(60) + TimeDelta::seconds(i64::try_from(number * number).unwrap() * 57);
            record(number % 2, 10 + number % 3, now - age)
        })
        .collect()
}

async fn execute(database: &TestDatabase, statement: &'static str) -> u64 {
    sqlx::query(statement).execute(&database.pool).await.unwrap().rows_affected()
}

async fn number(database: &TestDatabase, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&database.pool).await.unwrap()
}

/// All sums in their order.
async fn sums(database: &TestDatabase) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT concat_ws(' ', bucket_type, bucket_start AT TIME ZONE 'UTC', user_id, coalesce(access_key_id::text, 'all'),
                          provider, total_requests, total_input_tokens, total_output_tokens, total_cache_read_tokens,
                          total_cache_write_tokens, total_tokens, total_cost_usd)
           FROM usage_aggregates ORDER BY bucket_type, bucket_start, user_id, access_key_id, provider",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap()
}

/// Shows only the sums that differ, of hundreds.
fn assert_same(left: &[String], right: &[String]) {
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|sum| !those.contains(sum)).cloned().collect()
    };
    assert_eq!((only(left, right), only(right, left)), (Vec::new(), Vec::new()));
}
