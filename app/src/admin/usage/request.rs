//! A single request: what it used and cost.

use chrono::{DateTime, Utc};
use poem_openapi::Object;
use uuid::Uuid;

use super::csv::Lines;
use super::filter::{Ended, ServedBy};
use crate::admin::money::Usd;
use crate::store::UsageRow;

/// A request that was served, wholly or in part.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct UsageRequest {
    /// The id in `x-ccp-request-id` and in the log.
    request_id: String,
    /// When it arrived.
    timestamp: DateTime<Utc>,
    user_id: Uuid,
    /// Missing when there is no such user any more.
    user_name: Option<String>,
    access_key_id: Uuid,
    provider: ServedBy,
    /// Whether Bedrock served what the plan could not.
    is_fallback: bool,
    /// What was asked for.
    model: String,
    /// What ran.
    upstream_model: String,
    /// The provider's own id of the answer.
    upstream_message_id: Option<String>,
    outcome: Ended,
    /// Tokens of the prompt that were neither read from the cache nor written to it.
    input_tokens: u64,
    /// Tokens of the answer.
    output_tokens: u64,
    /// Tokens of the prompt that were read from the cache.
    cache_read_tokens: u64,
    /// Tokens of the prompt that were written to the cache.
    cache_write_tokens: u64,
    /// Those of them that were written for an hour.
    cache_write_1h_tokens: u64,
    total_tokens: u64,
    /// In US dollars; missing for what was stored before there were prices.
    cost_usd: Option<Usd>,
    /// Whether the model had a price; else the dearest known one was taken.
    priced: bool,
    /// Whether the tokens are estimated, because the provider's count never came.
    estimated: bool,
    /// From the request's arrival to the end of its answer.
    latency_ms: u64,
    /// From the request's arrival to the first content.
    time_to_first_token_ms: Option<u64>,
    /// The session of Claude Code.
    session_id: Option<String>,
    /// The agent in that session.
    agent_id: Option<String>,
    /// Searches that the provider ran itself.
    web_search_requests: u64,
}

impl UsageRequest {
    /// The columns of a line.
    pub(super) const COLUMNS: [&'static str; 25] = [
        "request_id",
        "timestamp",
        "user_id",
        "user_name",
        "access_key_id",
        "provider",
        "is_fallback",
        "model",
        "upstream_model",
        "upstream_message_id",
        "outcome",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "cache_write_1h_tokens",
        "total_tokens",
        "cost_usd",
        "priced",
        "estimated",
        "latency_ms",
        "time_to_first_token_ms",
        "session_id",
        "agent_id",
        "web_search_requests",
    ];

    /// Writes a line.
    pub(super) fn write(&self, lines: &mut Lines) {
        lines.text(&self.request_id);
        lines.value(self.timestamp.to_rfc3339());
        lines.value(self.user_id);
        lines.text(self.user_name.as_deref().unwrap_or_default());
        lines.value(self.access_key_id);
        lines.value(self.provider.name());
        lines.value(self.is_fallback);
        lines.text(&self.model);
        lines.text(&self.upstream_model);
        lines.text(self.upstream_message_id.as_deref().unwrap_or_default());
        lines.value(self.outcome.name());
        for count in [
            self.input_tokens,
            self.output_tokens,
            self.cache_read_tokens,
            self.cache_write_tokens,
            self.cache_write_1h_tokens,
            self.total_tokens,
        ] {
            lines.value(count);
        }
        lines.optional(self.cost_usd);
        lines.value(self.priced);
        lines.value(self.estimated);
        lines.value(self.latency_ms);
        lines.optional(self.time_to_first_token_ms);
        lines.text(self.session_id.as_deref().unwrap_or_default());
        lines.text(self.agent_id.as_deref().unwrap_or_default());
        lines.value(self.web_search_requests);
        lines.end();
    }
}

impl From<UsageRow> for UsageRequest {
    fn from(row: UsageRow) -> Self {
        let count = |number: i32| u64::from(number.unsigned_abs());
        Self {
            request_id: row.request_id,
            timestamp: row.timestamp,
            user_id: row.user_id,
            user_name: row.user_name,
            access_key_id: row.access_key_id,
            provider: ServedBy::parse(&row.provider),
            is_fallback: row.is_fallback,
            model: row.model,
            upstream_model: row.upstream_model,
            upstream_message_id: row.upstream_message_id,
            outcome: Ended::parse(&row.outcome),
            input_tokens: count(row.input_tokens),
            output_tokens: count(row.output_tokens),
            cache_read_tokens: count(row.cache_read_tokens),
            cache_write_tokens: count(row.cache_write_tokens),
            cache_write_1h_tokens: count(row.cache_write_1h_tokens),
            total_tokens: count(row.total_tokens),
            cost_usd: row.cost_usd.map(Usd),
            priced: row.priced,
            estimated: row.estimated,
            latency_ms: count(row.latency_ms),
            time_to_first_token_ms: row.time_to_first_token_ms.map(count),
            session_id: row.session_id,
            agent_id: row.agent_id,
            web_search_requests: count(row.web_search_requests),
        }
    }
}
