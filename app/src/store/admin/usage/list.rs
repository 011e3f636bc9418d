//! Single requests, newest first, a page at a time.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{UsageFilter, UsageReader, in_time};
use crate::store::StoreError;

/// Where a page begins: behind the last request of the page before.
pub type UsageRowKey = (DateTime<Utc>, String);

/// A request.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the columns of `token_usage`, which migrations describe")]
pub struct UsageRow {
    pub request_id: String,
    pub timestamp: DateTime<Utc>,
    pub user_id: Uuid,
    pub user_name: Option<String>,
    pub access_key_id: Uuid,
    pub provider: String,
    pub is_fallback: bool,
    pub model: String,
    pub upstream_model: String,
    pub upstream_message_id: Option<String>,
    pub outcome: String,
    pub input_tokens: i32,
    pub output_tokens: i32,
    pub cache_read_tokens: i32,
    pub cache_write_tokens: i32,
    pub cache_write_1h_tokens: i32,
    pub total_tokens: i32,
    pub cost_usd: Option<Decimal>,
    pub priced: bool,
    pub estimated: bool,
    pub latency_ms: i32,
    pub time_to_first_token_ms: Option<i32>,
    pub session_id: Option<String>,
    pub agent_id: Option<String>,
    pub web_search_requests: i32,
}

/// Which requests a list has, beside whose they are.
#[derive(Clone, Debug)]
pub struct UsageListFilter {
    /// Whose.
    pub whose: UsageFilter,
    /// How they ended.
    pub outcome: Option<&'static str>,
    /// Of this session.
    pub session_id: Option<String>,
    /// Arrived then or later.
    pub since: DateTime<Utc>,
    /// Arrived before then.
    pub until: DateTime<Utc>,
}

impl UsageRow {
    /// Where the page behind it begins.
    pub fn key(&self) -> UsageRowKey {
        (self.timestamp, self.request_id.clone())
    }
}

impl UsageReader {
    /// Requests after a sort key.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn requests(
        &mut self,
        filter: &UsageListFilter,
        after: Option<&UsageRowKey>,
        limit: i64,
    ) -> Result<Vec<UsageRow>, StoreError> {
        let (after_time, after_id) = after.map(|(time, id)| (*time, id.as_str())).unzip();
        let query = sqlx::query_as!(
            UsageRow,
            r#"SELECT request_id, timestamp, user_id, (SELECT name FROM users u WHERE u.id = t.user_id) AS user_name,
                      access_key_id, provider, is_fallback, model, upstream_model, upstream_message_id, outcome,
                      input_tokens, output_tokens, coalesce(cache_read_input_tokens, 0) AS "cache_read_tokens!",
                      coalesce(cache_creation_input_tokens, 0) AS "cache_write_tokens!",
                      coalesce(cache_creation_1h_tokens, 0) AS "cache_write_1h_tokens!", total_tokens, cost_usd, priced,
                      estimated, latency_ms, time_to_first_token_ms, session_id, agent_id, web_search_requests
                 FROM token_usage t
                WHERE timestamp >= $1 AND timestamp < $2
                  AND ($3::uuid IS NULL OR user_id = $3)
                  AND ($4::uuid IS NULL OR access_key_id = $4)
                  AND ($5::text IS NULL OR provider = $5)
                  AND ($6::text IS NULL OR model = $6)
                  AND ($7::text IS NULL OR outcome = $7)
                  AND ($8::text IS NULL OR session_id = $8)
                  -- The first of the two is for the index.
                  AND ($9::timestamptz IS NULL OR timestamp <= $9)
                  AND ($9::timestamptz IS NULL OR (timestamp, request_id) < ($9, $10))
                ORDER BY timestamp DESC, request_id DESC
                LIMIT $11"#,
            filter.since,
            filter.until,
            filter.whose.user_id,
            filter.whose.access_key_id,
            filter.whose.provider,
            filter.whose.model,
            filter.outcome,
            filter.session_id,
            after_time,
            after_id,
            limit
        );
        in_time(query.fetch_all(&mut *self.transaction)).await
    }

    /// How many requests a list has on all pages, counted up to so many.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn count_requests(&mut self, filter: &UsageListFilter, most: i64) -> Result<i64, StoreError> {
        let query = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM (
                   SELECT FROM token_usage
                    WHERE timestamp >= $1 AND timestamp < $2
                      AND ($3::uuid IS NULL OR user_id = $3)
                      AND ($4::uuid IS NULL OR access_key_id = $4)
                      AND ($5::text IS NULL OR provider = $5)
                      AND ($6::text IS NULL OR model = $6)
                      AND ($7::text IS NULL OR outcome = $7)
                      AND ($8::text IS NULL OR session_id = $8)
                    LIMIT $9) AS counted"#,
            filter.since,
            filter.until,
            filter.whose.user_id,
            filter.whose.access_key_id,
            filter.whose.provider,
            filter.whose.model,
            filter.outcome,
            filter.session_id,
            most
        );
        in_time(query.fetch_one(&mut *self.transaction)).await
    }
}
