//! Single requests: what each of them used and cost.

use chrono::{DateTime, Utc};
use futures_util::{Stream, stream};
use poem::Request;
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi, ResponseContent};
use uuid::Uuid;

use super::csv::{self, Csv, Lines};
use super::filter::{Ended, ServedBy, text};
use super::range::{Asked, Period, forward, readable};
use super::turns::unread;
use crate::admin::SharedAdmin;
use crate::admin::caller::Caller;
use crate::admin::list::{self, DEFAULT_LIMIT};
use crate::admin::money::Usd;
use crate::admin::problem::{Problem, Refused, Reporting};
use crate::admin::service::Tag;
use crate::store::{UsageFilter, UsageListFilter, UsageRow, UsageRowKey};

/// Requests are counted up to this number.
const COUNTED: i64 = 10_000;
/// Requests that are read at a time for CSV; so many are in memory.
const AT_A_TIME: i64 = 1000;

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

/// A page of requests.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub struct UsageRequestPage {
    /// What is on the page.
    items: Vec<UsageRequest>,
    /// Where the next page begins: give it as `cursor`. Missing on the last page.
    next: Option<String>,
    /// How many there are on all pages, counted up to 10,000.
    total: u64,
    /// Whether there may be more than `total`.
    total_is_at_least: bool,
}

/// Requests.
#[derive(ResponseContent)]
pub enum RequestsContent {
    /// A page.
    Json(Json<UsageRequestPage>),
    /// All of them, a line for each.
    Csv(Csv),
}

/// Requests.
#[derive(ApiResponse)]
pub enum RequestsAnswer {
    /// A page of requests; all of them as CSV with `Accept: text/csv`.
    #[oai(status = 200)]
    Ok(RequestsContent),
}

/// Lists of requests.
pub struct UsageRequestsPart;

#[OpenApi(prefix_path = "/admin/usage", tag = "Tag::Usage")]
impl UsageRequestsPart {
    /// List requests
    ///
    /// Newest first. As CSV (`Accept: text/csv`) all of them come at once, whatever `limit` says; their body is read from
    /// the database as fast as the client takes it.
    ///
    /// A range of more than 93 days has to be about one user, one access key or one session.
    #[oai(path = "/requests", method = "get", operation_id = "list_usage_requests")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn list(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        request: &Request,
        /// A period; `last_30_days` unless `from` is given.
        period: Query<Option<Period>>,
        /// Where the range begins: a day in the time zone of the sums (`2026-10-01`), or a time (RFC 3339).
        #[oai(validator(max_length = 40))]
        from: Query<Option<String>>,
        /// Where the range ends: a day, which belongs to it (`2026-10-31`), or a time, the first that does not; now, unless
        /// given.
        #[oai(validator(max_length = 40))]
        to: Query<Option<String>>,
        /// Of this user only.
        user_id: Query<Option<Uuid>>,
        /// With this access key only.
        access_key_id: Query<Option<Uuid>>,
        /// Served by this provider only.
        provider: Query<Option<ServedBy>>,
        /// Of this model only, as it was asked for.
        #[oai(validator(min_length = 1, max_length = 256))]
        model: Query<Option<String>>,
        /// Those that ended in this way only.
        outcome: Query<Option<Ended>>,
        /// Of this session only.
        #[oai(validator(min_length = 1, max_length = 128))]
        session_id: Query<Option<String>>,
        /// `next` of the page before; give the same filters with it.
        #[oai(validator(max_length = 256))]
        cursor: Query<Option<String>>,
        /// Requests on a page, 50 unless given.
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<Option<u32>>,
    ) -> Result<RequestsAnswer, Refused<Reporting>> {
        let asked = Asked::read(period.0, from.0.as_deref(), to.0.as_deref(), Period::Last30Days)?;
        let whose = UsageFilter {
            user_id: user_id.0,
            access_key_id: access_key_id.0,
            provider: provider.0.map(ServedBy::name),
            model: text("model", model.0)?,
        };
        let session_id = text("session_id", session_id.0)?;
        let after: Option<UsageRowKey> = list::cursor(cursor.0.as_deref())?;
        let limit = limit.0.unwrap_or(DEFAULT_LIMIT);

        let turn = admin.turns.take().await?;
        let mut reader = admin.database.read_usage().await?;
        let clock = reader.clock().await.map_err(unread)?;
        let (from, to) = asked.ends(&clock);
        let range = reader.range(&clock.zone, from, to).await.map_err(unread)?;
        forward(range)?;
        let few = whose.user_id.is_some() || whose.access_key_id.is_some() || session_id.is_some();
        readable(range, few, "take a shorter one, or give user_id, access_key_id or session_id")?;
        let (since, until) = range;
        let filter = UsageListFilter { whose, outcome: outcome.0.map(Ended::name), session_id, since, until };
        if csv::wanted(request) {
            drop((reader, turn));
            let pieces = pieces(SharedAdmin::clone(&admin), filter, after);
            return Ok(RequestsAnswer::Ok(RequestsContent::Csv(Csv::begin(&UsageRequest::COLUMNS, pieces).await?)));
        }
        let rows = reader.requests(&filter, after.as_ref(), i64::from(limit) + 1).await.map_err(unread)?;
        let found = reader.count_requests(&filter, COUNTED + 1).await.map_err(unread)?;
        let page = list::page(rows, limit, found.min(COUNTED), UsageRow::key, UsageRequest::from);
        let (items, next, total) = (page.items, page.next, page.total);
        let page = UsageRequestPage { items, next, total, total_is_at_least: found > COUNTED };
        Ok(RequestsAnswer::Ok(RequestsContent::Json(Json(page))))
    }
}

/// The lines of some requests at a time, each read when the client has taken what was before; nothing is held meanwhile.
fn pieces(
    admin: SharedAdmin,
    filter: UsageListFilter,
    after: Option<UsageRowKey>,
) -> impl Stream<Item = Result<Lines, Problem>> + Send {
    stream::try_unfold((admin, filter, after, true), |(admin, filter, after, more)| async move {
        if !more {
            return Ok(None);
        }
        let turn = admin.turns.take().await?;
        let mut reader = admin.database.read_usage().await?;
        let rows = reader.requests(&filter, after.as_ref(), AT_A_TIME).await.map_err(unread)?;
        drop((reader, turn));
        let more = i64::try_from(rows.len()).is_ok_and(|read| read == AT_A_TIME);
        let after = rows.last().map(UsageRow::key);
        let mut lines = Lines::default();
        rows.into_iter().for_each(|row| UsageRequest::from(row).write(&mut lines));
        Ok(Some((lines, (admin, filter, after, more))))
    })
}

impl UsageRequest {
    const COLUMNS: [&'static str; 25] = [
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

    fn write(&self, lines: &mut Lines) {
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
