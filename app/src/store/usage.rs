//! Writes usage rows and their sums in one statement, which makes them one transaction.

use std::collections::HashSet;
use std::time::Duration;

use rust_decimal::Decimal;
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryScalar;
use uuid::Uuid;

use super::{Database, StoreError};
use crate::domain::UsageRecord;

/// A batch that takes longer is tried again later.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

impl Database {
    /// Stores a batch and returns how many of its rows were new. Rows whose `request_id` is known change nothing, the
    /// sums included, because the sums are taken over what the first part of the statement really inserted. Both are
    /// written in sorted order, so that two tasks never wait for each other in a circle. Buckets begin in the time zone
    /// that the database names, which is held until they are written, so that nobody changes it meanwhile.
    ///
    /// # Errors
    /// When the database is away, slow, or refuses a row; nothing of the batch is stored then.
    pub async fn store_usage(&self, batch: &[UsageRecord]) -> Result<u64, StoreError> {
        let batch = batch.to_vec();
        // All values of all rows are encoded when the statement is made, 33 of each, and nothing else would go on meanwhile.
        // Done here it was a fifth of the time that one request in a hundred waited for its first byte.
        let insertion = tokio::task::spawn_blocking(move || insertion(batch)).await;
        let query = insertion.map_err(not_encoded)?.fetch_one(&self.pool);
        let stored =
            tokio::time::timeout(WRITE_TIMEOUT, query).await.map_err(|_| StoreError::Timeout(WRITE_TIMEOUT))??;
        Ok(stored.unsigned_abs())
    }

    /// Which of these are stored already.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn known_usage(&self, batch: &[UsageRecord]) -> Result<HashSet<Uuid>, StoreError> {
        let ids: Vec<String> = batch.iter().map(|record| record.request_id.to_string()).collect();
        let query = sqlx::query_scalar!("SELECT request_id FROM token_usage WHERE request_id = ANY($1)", &ids)
            .fetch_all(&self.pool);
        let known =
            tokio::time::timeout(WRITE_TIMEOUT, query).await.map_err(|_| StoreError::Timeout(WRITE_TIMEOUT))??;
        Ok(known.iter().filter_map(|id| id.parse().ok()).collect())
    }
}

/// A panic is about one of the rows, which shall not hold up the others; without one the runtime ends.
fn not_encoded(error: tokio::task::JoinError) -> sqlx::Error {
    if error.is_panic() { sqlx::Error::Encode(error.into()) } else { sqlx::Error::Io(error.into()) }
}

/// The statement that stores a batch, its rows encoded.
fn insertion(batch: Vec<UsageRecord>) -> QueryScalar<'static, Postgres, i64, PgArguments> {
    let columns = Columns::of(batch);
    sqlx::query_scalar!(
        r#"WITH inserted AS (
               INSERT INTO token_usage (
                   request_id, timestamp, user_id, access_key_id, model, upstream_model, upstream_message_id,
                   input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens,
                   cache_creation_5m_tokens, cache_creation_1h_tokens, total_tokens, provider, is_fallback,
                   latency_ms, time_to_first_token_ms, outcome, session_id, agent_id, web_search_requests, estimated,
                   cost_usd, input_price_usd, output_price_usd, cache_read_price_usd, cache_write_5m_price_usd,
                   cache_write_1h_price_usd, priced, fallback_reason, circuit, bedrock_dropped)
               SELECT * FROM unnest(
                   $1::text[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[],
                   $8::int[], $9::int[], $10::int[], $11::int[], $12::int[], $13::int[], $14::int[], $15::text[],
                   $16::bool[], $17::int[], $18::int[], $19::text[], $20::text[], $21::text[], $22::int[], $23::bool[],
                   $24::numeric[], $25::numeric[], $26::numeric[], $27::numeric[], $28::numeric[], $29::numeric[],
                   $30::bool[], $31::text[], $32::text[], $33::text[])
                ORDER BY 1
               ON CONFLICT ON CONSTRAINT token_usage_request_id_key DO NOTHING
               RETURNING *
           ), zone AS (
               SELECT name FROM usage_time_zone FOR SHARE
           ), summed AS (
               INSERT INTO usage_aggregates AS a (
                   bucket_type, bucket_start, user_id, access_key_id, provider, total_requests, total_input_tokens,
                   total_output_tokens, total_cache_read_tokens, total_cache_write_tokens, total_tokens, total_cost_usd)
               SELECT bucket, start, i.user_id, k.access_key_id, i.provider,
                      count(*), sum(i.input_tokens), sum(i.output_tokens), sum(coalesce(i.cache_read_input_tokens, 0)),
                      sum(coalesce(i.cache_creation_input_tokens, 0)), sum(i.total_tokens), sum(coalesce(i.cost_usd, 0))
                 FROM inserted i
                CROSS JOIN unnest(ARRAY['minute', 'hour', 'day', 'week', 'month']) AS bucket
                CROSS JOIN LATERAL usage_bucket_start(bucket, i.timestamp, (SELECT name FROM zone)) AS start
                -- Every row counts twice: for its key, and for its user (key NULL).
                CROSS JOIN LATERAL (VALUES (i.access_key_id), (NULL::uuid)) AS k (access_key_id)
                GROUP BY 1, 2, 3, 4, 5
                ORDER BY 1, 2, 3, 4, 5
               ON CONFLICT ON CONSTRAINT usage_aggregates_bucket_key DO UPDATE SET
                   total_requests = a.total_requests + excluded.total_requests,
                   total_input_tokens = a.total_input_tokens + excluded.total_input_tokens,
                   total_output_tokens = a.total_output_tokens + excluded.total_output_tokens,
                   total_cache_read_tokens = a.total_cache_read_tokens + excluded.total_cache_read_tokens,
                   total_cache_write_tokens = a.total_cache_write_tokens + excluded.total_cache_write_tokens,
                   total_tokens = a.total_tokens + excluded.total_tokens,
                   total_cost_usd = a.total_cost_usd + excluded.total_cost_usd
               RETURNING 1
           )
           SELECT count(*) AS "count!" FROM inserted"#,
        &columns.request_id,
        &columns.timestamp,
        &columns.user_id,
        &columns.access_key_id,
        &columns.model,
        &columns.upstream_model,
        &columns.upstream_message_id as _,
        &columns.input,
        &columns.output,
        &columns.cache_read,
        &columns.cache_creation,
        &columns.cache_creation_5m,
        &columns.cache_creation_1h,
        &columns.total,
        &columns.provider,
        &columns.is_fallback,
        &columns.latency_ms,
        &columns.time_to_first_token_ms as _,
        &columns.outcome,
        &columns.session_id as _,
        &columns.agent_id as _,
        &columns.web_search_requests,
        &columns.estimated,
        &columns.cost as _,
        &columns.input_price as _,
        &columns.output_price as _,
        &columns.cache_read_price as _,
        &columns.cache_write_5m_price as _,
        &columns.cache_write_1h_price as _,
        &columns.priced,
        &columns.fallback_reason as _,
        &columns.circuit as _,
        &columns.dropped as _,
    )
}

/// The batch turned by a quarter: one array a column.
#[derive(Default)]
struct Columns {
    request_id: Vec<String>,
    timestamp: Vec<chrono::DateTime<chrono::Utc>>,
    user_id: Vec<uuid::Uuid>,
    access_key_id: Vec<uuid::Uuid>,
    model: Vec<String>,
    upstream_model: Vec<String>,
    upstream_message_id: Vec<Option<String>>,
    input: Vec<i32>,
    output: Vec<i32>,
    cache_read: Vec<i32>,
    cache_creation: Vec<i32>,
    cache_creation_5m: Vec<i32>,
    cache_creation_1h: Vec<i32>,
    total: Vec<i32>,
    provider: Vec<String>,
    is_fallback: Vec<bool>,
    latency_ms: Vec<i32>,
    time_to_first_token_ms: Vec<Option<i32>>,
    outcome: Vec<String>,
    session_id: Vec<Option<String>>,
    agent_id: Vec<Option<String>>,
    web_search_requests: Vec<i32>,
    estimated: Vec<bool>,
    cost: Vec<Option<Decimal>>,
    input_price: Vec<Option<Decimal>>,
    output_price: Vec<Option<Decimal>>,
    cache_read_price: Vec<Option<Decimal>>,
    cache_write_5m_price: Vec<Option<Decimal>>,
    cache_write_1h_price: Vec<Option<Decimal>>,
    priced: Vec<bool>,
    fallback_reason: Vec<Option<String>>,
    circuit: Vec<Option<String>>,
    dropped: Vec<Option<String>>,
}

impl Columns {
    fn of(batch: Vec<UsageRecord>) -> Self {
        let mut columns = Self::default();
        for record in batch {
            let tokens = &record.tokens;
            columns.request_id.push(record.request_id.to_string());
            columns.timestamp.push(record.timestamp);
            columns.user_id.push(record.user_id);
            columns.access_key_id.push(record.access_key_id);
            columns.model.push(record.model);
            columns.upstream_model.push(record.upstream_model);
            columns.upstream_message_id.push(record.upstream_message_id);
            columns.input.push(count(tokens.input));
            columns.output.push(count(tokens.output));
            columns.cache_read.push(count(tokens.cache_read));
            columns.cache_creation.push(count(tokens.cache_creation));
            columns.cache_creation_5m.push(count(tokens.cache_creation_5m));
            columns.cache_creation_1h.push(count(tokens.cache_creation_1h));
            columns.total.push(count(tokens.total()));
            columns.provider.push(record.provider.name().to_owned());
            columns.is_fallback.push(record.is_fallback);
            columns.latency_ms.push(count(record.latency_ms));
            columns.time_to_first_token_ms.push(record.time_to_first_token_ms.map(count));
            columns.outcome.push(record.outcome.name().to_owned());
            columns.session_id.push(record.session_id);
            columns.agent_id.push(record.agent_id);
            columns.web_search_requests.push(count(tokens.web_search_requests));
            columns.estimated.push(record.estimated);
            let prices = record.cost.map(|cost| cost.prices);
            columns.cost.push(record.cost.map(|cost| cost.usd));
            columns.input_price.push(prices.map(|prices| prices.input));
            columns.output_price.push(prices.map(|prices| prices.output));
            columns.cache_read_price.push(prices.map(|prices| prices.cache_read));
            columns.cache_write_5m_price.push(prices.map(|prices| prices.cache_write_5m));
            columns.cache_write_1h_price.push(prices.map(|prices| prices.cache_write_1h));
            columns.priced.push(record.cost.is_some_and(|cost| cost.priced));
            columns.fallback_reason.push(record.route.fallback.map(|reason| reason.name().to_owned()));
            columns.circuit.push(record.route.circuit);
            columns.dropped.push(record.route.dropped);
        }
        columns
    }
}

/// Counts fit an INTEGER in practice; one that does not is stored as the largest rather than lost with its batch.
fn count(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}
