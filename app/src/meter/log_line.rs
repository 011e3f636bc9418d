//! The `usage` line of the log: every value of the row, written and read back. It is the second source of truth for what
//! does not reach the database.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use uuid::Uuid;

use crate::domain::{Cost, FallbackReason, Outcome, Provider, Route, TokenUsage, UnitPrices, UsageRecord};
use crate::telemetry;

/// The message of the line that every record has.
pub(super) const USAGE: &str = "usage";
/// The message of the line of a record that was given up.
pub(super) const USAGE_LOST: &str = "usage_lost";

/// Writes every value of the row, each as a field of its own.
pub(super) fn write(record: &UsageRecord, message: &'static str) {
    let tokens = &record.tokens;
    let price = |of: fn(&UnitPrices) -> Decimal| record.cost.map(|cost| of(&cost.prices).to_string());
    tracing::info!(
        target: telemetry::RECORDS,
        request_id = %record.request_id,
        arrived = %record.timestamp.to_rfc3339(),
        user_id = %record.user_id,
        access_key_id = %record.access_key_id,
        model = record.model,
        upstream_model = record.upstream_model,
        upstream_message_id = record.upstream_message_id,
        input_tokens = tokens.input,
        output_tokens = tokens.output,
        cache_read_input_tokens = tokens.cache_read,
        cache_creation_input_tokens = tokens.cache_creation,
        cache_creation_5m_tokens = tokens.cache_creation_5m,
        cache_creation_1h_tokens = tokens.cache_creation_1h,
        web_search_requests = tokens.web_search_requests,
        estimated = record.estimated,
        cost_usd = record.cost.map(|cost| cost.usd.to_string()),
        input_price_usd = price(|prices| prices.input),
        output_price_usd = price(|prices| prices.output),
        cache_read_price_usd = price(|prices| prices.cache_read),
        cache_write_5m_price_usd = price(|prices| prices.cache_write_5m),
        cache_write_1h_price_usd = price(|prices| prices.cache_write_1h),
        priced = record.cost.map(|cost| cost.priced),
        provider = record.provider.name(),
        is_fallback = record.is_fallback,
        fallback_reason = record.route.fallback.map(FallbackReason::name),
        circuit = record.route.circuit,
        bedrock_dropped = record.route.dropped,
        latency_ms = record.latency_ms,
        time_to_first_token_ms = record.time_to_first_token_ms,
        outcome = record.outcome.name(),
        session_id = record.session_id,
        agent_id = record.agent_id,
        "{message}"
    );
}

/// The fields as they stand in the line.
#[derive(Deserialize)]
struct Logged {
    request_id: Uuid,
    arrived: DateTime<Utc>,
    user_id: Uuid,
    access_key_id: Uuid,
    model: String,
    upstream_model: String,
    upstream_message_id: Option<String>,
    input_tokens: u32,
    output_tokens: u32,
    cache_read_input_tokens: u32,
    cache_creation_input_tokens: u32,
    cache_creation_5m_tokens: u32,
    cache_creation_1h_tokens: u32,
    web_search_requests: u32,
    estimated: bool,
    cost_usd: Option<Decimal>,
    input_price_usd: Option<Decimal>,
    output_price_usd: Option<Decimal>,
    cache_read_price_usd: Option<Decimal>,
    cache_write_5m_price_usd: Option<Decimal>,
    cache_write_1h_price_usd: Option<Decimal>,
    priced: Option<bool>,
    provider: Provider,
    is_fallback: bool,
    fallback_reason: Option<FallbackReason>,
    circuit: Option<String>,
    bedrock_dropped: Option<String>,
    latency_ms: u32,
    time_to_first_token_ms: Option<u32>,
    outcome: Outcome,
    session_id: Option<String>,
    agent_id: Option<String>,
}

impl Logged {
    fn cost(&self) -> Option<Cost> {
        let prices = UnitPrices {
            input: self.input_price_usd?,
            output: self.output_price_usd?,
            cache_read: self.cache_read_price_usd?,
            cache_write_5m: self.cache_write_5m_price_usd?,
            cache_write_1h: self.cache_write_1h_price_usd?,
        };
        Some(Cost { usd: self.cost_usd?, prices, priced: self.priced? })
    }
}

impl From<Logged> for UsageRecord {
    fn from(line: Logged) -> Self {
        let cost = line.cost();
        Self {
            request_id: line.request_id,
            timestamp: line.arrived,
            user_id: line.user_id,
            access_key_id: line.access_key_id,
            model: line.model,
            upstream_model: line.upstream_model,
            upstream_message_id: line.upstream_message_id,
            tokens: TokenUsage {
                input: line.input_tokens,
                output: line.output_tokens,
                cache_read: line.cache_read_input_tokens,
                cache_creation: line.cache_creation_input_tokens,
                cache_creation_5m: line.cache_creation_5m_tokens,
                cache_creation_1h: line.cache_creation_1h_tokens,
                web_search_requests: line.web_search_requests,
            },
            estimated: line.estimated,
            cost,
            provider: line.provider,
            is_fallback: line.is_fallback,
            route: Route { fallback: line.fallback_reason, circuit: line.circuit, dropped: line.bedrock_dropped },
            latency_ms: line.latency_ms,
            time_to_first_token_ms: line.time_to_first_token_ms,
            outcome: line.outcome,
            session_id: line.session_id,
            agent_id: line.agent_id,
        }
    }
}

/// What a line of the log is.
#[derive(Debug)]
pub(super) enum Read {
    /// A record.
    Record(Box<UsageRecord>),
    /// A line about a record which cannot be read.
    Unreadable,
    /// Something else.
    Other,
}

/// Reads a line of the log. What a container's runtime puts before the object does no harm.
pub(super) fn read(line: &[u8]) -> Read {
    #[derive(Deserialize)]
    struct Head<'l> {
        message: Option<std::borrow::Cow<'l, str>>,
    }
    let object = &line[memchr::memchr(b'{', line).unwrap_or(line.len())..];
    match serde_json::from_slice::<Head<'_>>(object) {
        Ok(head) if head.message.as_deref().is_some_and(|message| [USAGE, USAGE_LOST].contains(&message)) => {
            serde_json::from_slice::<Logged>(object)
                .map_or(Read::Unreadable, |line| Read::Record(Box::new(line.into())))
        }
        // Cut off, or another line runs into it.
        Err(_) if memchr::memmem::find(line, b"\"message\":\"usage").is_some() => Read::Unreadable,
        _ => Read::Other,
    }
}
