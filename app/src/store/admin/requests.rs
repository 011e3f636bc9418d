//! One row of usage, with the names of whom it is about.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::{TokenUsage, UnitPrices};
use crate::store::{Database, StoreError};

/// A request that was metered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestRow {
    /// When it arrived.
    pub timestamp: DateTime<Utc>,
    /// `users.id`
    pub user_id: Uuid,
    /// The user's name, if the user is in the table.
    pub user_name: Option<String>,
    /// `access_keys.id`
    pub access_key_id: Uuid,
    /// The beginning of the access key, if it is in the table.
    pub access_key_prefix: Option<String>,
    /// What the client asked for.
    pub model: String,
    /// What ran.
    pub upstream_model: String,
    /// The provider's id of the answer.
    pub upstream_message_id: Option<String>,
    /// The name of a [`crate::domain::Provider`].
    pub provider: String,
    /// Whether the plan was tried first.
    pub is_fallback: bool,
    /// The name of a [`crate::domain::FallbackReason`].
    pub fallback_reason: Option<String>,
    /// How the plan's circuit was.
    pub circuit: Option<String>,
    /// What was left out for Bedrock.
    pub bedrock_dropped: Option<String>,
    /// The name of an [`crate::domain::Outcome`].
    pub outcome: String,
    /// From the arrival to the end of the answer.
    pub latency_ms: i32,
    /// From the arrival to the first event.
    pub time_to_first_token_ms: Option<i32>,
    /// Claude Code's session.
    pub session_id: Option<String>,
    /// Claude Code's subagent.
    pub agent_id: Option<String>,
    /// What was consumed.
    pub tokens: TokenUsage,
    /// Whether some of that is an estimate.
    pub estimated: bool,
    /// What it cost, and the prices that were taken; `None` in rows from before there were prices.
    pub cost: Option<(Decimal, UnitPrices)>,
    /// Whether the model had a price of its own.
    pub priced: bool,
}

impl Database {
    /// The row of a request; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request_row(&self, request_id: Uuid) -> Result<Option<RequestRow>, StoreError> {
        let row = sqlx::query!(
            r#"SELECT t.timestamp, t.user_id, u.name AS "user_name?", t.access_key_id, k.key_prefix AS "key_prefix?", t.model,
                      t.upstream_model, t.upstream_message_id, t.provider, t.is_fallback, t.outcome, t.latency_ms,
                      t.time_to_first_token_ms, t.session_id, t.agent_id, t.input_tokens, t.output_tokens,
                      t.cache_read_input_tokens, t.cache_creation_input_tokens, t.cache_creation_5m_tokens,
                      t.cache_creation_1h_tokens, t.web_search_requests, t.estimated, t.cost_usd, t.input_price_usd,
                      t.output_price_usd, t.cache_read_price_usd, t.cache_write_5m_price_usd, t.cache_write_1h_price_usd,
                      t.priced, t.fallback_reason, t.circuit, t.bedrock_dropped
                 FROM token_usage t
            LEFT JOIN users u ON u.id = t.user_id
            LEFT JOIN access_keys k ON k.id = t.access_key_id
                WHERE t.request_id = $1"#,
            request_id.to_string()
        )
        .fetch_optional(&self.pool)
        .await?;
        let count = |number: i32| number.unsigned_abs();
        let counted = |number: Option<i32>| number.map_or(0, i32::unsigned_abs);
        Ok(row.map(|row| {
            let prices = || {
                Some(UnitPrices {
                    input: row.input_price_usd?,
                    output: row.output_price_usd?,
                    cache_read: row.cache_read_price_usd?,
                    cache_write_5m: row.cache_write_5m_price_usd?,
                    cache_write_1h: row.cache_write_1h_price_usd?,
                })
            };
            RequestRow {
                cost: row.cost_usd.zip(prices()),
                timestamp: row.timestamp,
                user_id: row.user_id,
                user_name: row.user_name,
                access_key_id: row.access_key_id,
                access_key_prefix: row.key_prefix,
                model: row.model,
                upstream_model: row.upstream_model,
                upstream_message_id: row.upstream_message_id,
                provider: row.provider,
                is_fallback: row.is_fallback,
                fallback_reason: row.fallback_reason,
                circuit: row.circuit,
                bedrock_dropped: row.bedrock_dropped,
                outcome: row.outcome,
                latency_ms: row.latency_ms,
                time_to_first_token_ms: row.time_to_first_token_ms,
                session_id: row.session_id,
                agent_id: row.agent_id,
                tokens: TokenUsage {
                    input: count(row.input_tokens),
                    output: count(row.output_tokens),
                    cache_read: counted(row.cache_read_input_tokens),
                    cache_creation: counted(row.cache_creation_input_tokens),
                    cache_creation_5m: counted(row.cache_creation_5m_tokens),
                    cache_creation_1h: counted(row.cache_creation_1h_tokens),
                    web_search_requests: count(row.web_search_requests),
                },
                estimated: row.estimated,
                priced: row.priced,
            }
        }))
    }
}
