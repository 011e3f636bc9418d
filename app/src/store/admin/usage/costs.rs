//! What each class of tokens cost, with the prices that were stored with the rows.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{UsageFilter, UsageReader, in_time};
use crate::store::StoreError;

/// What a model cost at a provider; a cost is in USD.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CostRow {
    /// What was asked for.
    pub model: String,
    /// What ran.
    pub upstream_model: String,
    /// `plan` or `bedrock`.
    pub provider: String,
    /// Requests.
    pub requests: i64,
    /// Requests without a price of their own.
    pub unpriced_requests: i64,
    /// All classes together.
    pub cost_usd: Decimal,
    /// Prompt tokens outside the cache.
    pub input_tokens: i64,
    /// What they cost.
    pub input_usd: Decimal,
    /// Tokens of answers.
    pub output_tokens: i64,
    /// What they cost.
    pub output_usd: Decimal,
    /// Prompt tokens read from the cache.
    pub cache_read_tokens: i64,
    /// What they cost.
    pub cache_read_usd: Decimal,
    /// Prompt tokens written to the cache for 5 minutes.
    pub cache_write_5m_tokens: i64,
    /// What they cost.
    pub cache_write_5m_usd: Decimal,
    /// Prompt tokens written to the cache for 1 hour.
    pub cache_write_1h_tokens: i64,
    /// What they cost.
    pub cache_write_1h_usd: Decimal,
}

impl UsageReader {
    /// What models cost in a range, the dearest first, and not more than so many.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn costs(
        &mut self,
        (since, until): (DateTime<Utc>, DateTime<Utc>),
        filter: &UsageFilter,
        most: i64,
    ) -> Result<Vec<CostRow>, StoreError> {
        // Writes to the cache whose time to live is not known are priced as those for 5 minutes.
        let query = sqlx::query_as!(
            CostRow,
            r#"SELECT model, upstream_model, provider, count(*) AS "requests!",
                      count(*) FILTER (WHERE NOT priced) AS "unpriced_requests!",
                      coalesce(sum(cost_usd), 0) AS "cost_usd!",
                      sum(input_tokens)::bigint AS "input_tokens!",
                      coalesce(sum(input_tokens * input_price_usd), 0) * 0.000001 AS "input_usd!",
                      sum(output_tokens)::bigint AS "output_tokens!",
                      coalesce(sum(output_tokens * output_price_usd), 0) * 0.000001 AS "output_usd!",
                      sum(cache_read)::bigint AS "cache_read_tokens!",
                      coalesce(sum(cache_read * cache_read_price_usd), 0) * 0.000001 AS "cache_read_usd!",
                      sum(short)::bigint AS "cache_write_5m_tokens!",
                      coalesce(sum(short * cache_write_5m_price_usd), 0) * 0.000001 AS "cache_write_5m_usd!",
                      sum(long)::bigint AS "cache_write_1h_tokens!",
                      coalesce(sum(long * cache_write_1h_price_usd), 0) * 0.000001 AS "cache_write_1h_usd!"
                 FROM token_usage,
              LATERAL (SELECT coalesce(cache_read_input_tokens, 0) AS cache_read, coalesce(cache_creation_1h_tokens, 0) AS long,
                              greatest(coalesce(cache_creation_input_tokens, 0) - coalesce(cache_creation_1h_tokens, 0),
                                       coalesce(cache_creation_5m_tokens, 0)) AS short) AS cached
                WHERE timestamp >= $1 AND timestamp < $2
                  AND ($3::uuid IS NULL OR user_id = $3)
                  AND ($4::uuid IS NULL OR access_key_id = $4)
                  AND ($5::text IS NULL OR provider = $5)
                  AND ($6::text IS NULL OR model = $6)
                GROUP BY 1, 2, 3
                ORDER BY sum(cost_usd) DESC NULLS LAST, 1, 2, 3
                LIMIT $7"#,
            since,
            until,
            filter.user_id,
            filter.access_key_id,
            filter.provider,
            filter.model,
            most
        );
        in_time(query.fetch_all(&mut *self.transaction)).await
    }
}
