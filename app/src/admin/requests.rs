//! One request, explained: whose it was, what ran, how it ended, and what each of its tokens cost.

use chrono::{DateTime, Utc};
use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::SharedAdmin;
use super::caller::Caller;
use super::money::Usd;
use super::problem::{Kind, Problem};
use super::service::Tag;
use super::sorts::{Refused, Showing};
use crate::domain::{TokenUsage, UnitPrices};
use crate::store::RequestRow;

/// A request that was metered.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct RequestExplained {
    request_id: Uuid,
    /// When it arrived.
    timestamp: DateTime<Utc>,
    user_id: Uuid,
    user_name: Option<String>,
    access_key_id: Uuid,
    /// The beginning of the access key.
    access_key_prefix: Option<String>,
    /// The model that was asked for.
    model: String,
    /// The model that ran.
    upstream_model: String,
    /// The provider's id of the answer.
    upstream_message_id: Option<String>,
    /// Who served: `plan` or `bedrock`.
    provider: String,
    /// Whether the plan was to serve, and did not.
    is_fallback: bool,
    /// Why: what the plan's answer was taken for (`plan_limit`, `overloaded`, ...), or that it was not asked
    /// (`circuit_open`, `staying`).
    fallback_reason: Option<String>,
    /// How the plan's circuit was for it: `closed`, `open` or `half_open`.
    circuit: Option<String>,
    /// What was left out for Bedrock, as in `x-ccp-bedrock-dropped`.
    bedrock_dropped: Option<String>,
    /// How the answer ended: `completed`, `cancelled` by the client, `failed` by an error, `truncated` by a break.
    outcome: String,
    /// From the arrival of the request to the end of the answer, in milliseconds.
    latency_ms: u32,
    /// From the arrival of the request to the first event of the answer, in milliseconds.
    time_to_first_token_ms: Option<u32>,
    /// Claude Code's session.
    session_id: Option<String>,
    /// Claude Code's subagent.
    agent_id: Option<String>,
    /// Tokens by what they cost; their `cost_usd` add up to that of the request.
    tokens: Vec<TokenCost>,
    /// Searches that the provider ran itself; they have no price here.
    web_search_requests: u32,
    /// Whether some counts are estimates, because the final count never came.
    estimated: bool,
    /// Whether the model had a price of its own; else the dearest known one of its family was taken.
    priced: bool,
    /// What it cost, in US dollars; missing in rows from before there were prices.
    cost_usd: Option<Usd>,
}

/// Tokens of one class, and what they cost: `count` × `price_usd` ÷ 1,000,000.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct TokenCost {
    class: TokenClass,
    count: u32,
    /// The price of a million that was taken, in US dollars.
    price_usd: Option<Usd>,
    /// What they cost, in US dollars.
    cost_usd: Option<Usd>,
}

/// What tokens are.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TokenClass {
    /// Prompt outside the cache.
    #[oai(rename = "input")]
    Input,
    /// The answer, thinking included.
    #[oai(rename = "output")]
    Output,
    /// Prompt that was read from the cache.
    #[oai(rename = "cache_read")]
    CacheRead,
    /// Prompt that was written to the cache for 5 minutes.
    #[oai(rename = "cache_write_5m")]
    CacheWrite5m,
    /// Prompt that was written to the cache for 1 hour.
    #[oai(rename = "cache_write_1h")]
    CacheWrite1h,
}

/// Operations on single requests.
pub struct RequestsPart;

#[OpenApi(prefix_path = "/admin/requests", tag = "Tag::Requests")]
impl RequestsPart {
    /// Explain a request
    ///
    /// Who served it and why, what was left out for Bedrock, and the arithmetic of its cost. Requests that nothing was
    /// counted for have no row; the lines of the proxy's log that have this id tell of them.
    #[oai(path = "/:request_id", method = "get", operation_id = "get_request")]
    async fn show(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        /// `x-ccp-request-id` of its answer.
        request_id: Path<Uuid>,
    ) -> Result<Json<RequestExplained>, Refused<Showing>> {
        let row = admin.database.request_row(request_id.0).await?;
        Ok(Json(explained(request_id.0, row.ok_or_else(|| not_counted(request_id.0))?)))
    }
}

fn not_counted(id: Uuid) -> Problem {
    let message = format!(
        "No usage is stored of a request {id}. Rows are stored within seconds, of requests that Bedrock may have counted \
         (and of the plan's with METER_PLAN); of every request there is a line in the proxy's log with this id."
    );
    Problem::new(Kind::NotFound, "not_found", message)
}

fn explained(request_id: Uuid, row: RequestRow) -> RequestExplained {
    let prices = row.cost.map(|(_, prices)| prices);
    RequestExplained {
        request_id,
        timestamp: row.timestamp,
        user_id: row.user_id,
        user_name: row.user_name,
        access_key_id: row.access_key_id,
        access_key_prefix: row.access_key_prefix,
        model: row.model,
        upstream_model: row.upstream_model,
        upstream_message_id: row.upstream_message_id,
        provider: row.provider,
        is_fallback: row.is_fallback,
        fallback_reason: row.fallback_reason,
        circuit: row.circuit,
        bedrock_dropped: row.bedrock_dropped,
        outcome: row.outcome,
        latency_ms: row.latency_ms.unsigned_abs(),
        time_to_first_token_ms: row.time_to_first_token_ms.map(i32::unsigned_abs),
        session_id: row.session_id,
        agent_id: row.agent_id,
        tokens: by_class(&row.tokens, prices.as_ref()),
        web_search_requests: row.tokens.web_search_requests,
        estimated: row.estimated,
        priced: row.priced,
        cost_usd: row.cost.map(|(usd, _)| Usd(usd)),
    }
}

fn by_class(tokens: &TokenUsage, prices: Option<&UnitPrices>) -> Vec<TokenCost> {
    let (short, long) = tokens.cache_writes();
    let line = |class, count: u32, price: fn(&UnitPrices) -> Decimal| {
        let price = prices.map(price);
        let cost = price.map(|price| Usd(Decimal::from(count) * price / Decimal::from(1_000_000)));
        TokenCost { class, count, price_usd: price.map(Usd), cost_usd: cost }
    };
    vec![
        line(TokenClass::Input, tokens.input, |prices| prices.input),
        line(TokenClass::Output, tokens.output, |prices| prices.output),
        line(TokenClass::CacheRead, tokens.cache_read, |prices| prices.cache_read),
        line(TokenClass::CacheWrite5m, short, |prices| prices.cache_write_5m),
        line(TokenClass::CacheWrite1h, long, |prices| prices.cache_write_1h),
    ]
}
