//! Lists of single requests.

use chrono::Datelike as _;
use futures_util::{Stream, stream};
use poem::Request;
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi, ResponseContent};
use uuid::Uuid;

use super::csv::{self, Csv, Lines};
use super::filter::{Ended, ServedBy, text};
use super::moment::YEARS;
use super::opened::{open, read_on};
use super::range::{Asked, Period, readable};
use super::request::UsageRequest;
use super::turns::unread;
use crate::admin::SharedAdmin;
use crate::admin::caller::Caller;
use crate::admin::list::{self, DEFAULT_LIMIT};
use crate::admin::problem::Problem;
use crate::admin::service::Tag;
use crate::admin::sorts::{Refused, Reporting};
use crate::store::{UsageFilter, UsageListFilter, UsageRow, UsageRowKey};

/// Requests are counted up to this number.
const COUNTED: i64 = 10_000;
/// Requests that are read at a time for CSV; so many are in memory.
const AT_A_TIME: i64 = 2000;

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
        let after = after(cursor.0.as_deref())?;
        let limit = limit.0.unwrap_or(DEFAULT_LIMIT);

        let mut opened = open(&admin, asked).await?;
        let few = whose.user_id.is_some() || whose.access_key_id.is_some() || session_id.is_some();
        readable(opened.range, few, "take a shorter one, or give user_id, access_key_id or session_id")?;
        let (since, until) = opened.range;
        let filter = UsageListFilter { whose, outcome: outcome.0.map(Ended::name), session_id, since, until };
        if csv::wanted(request) {
            drop(opened);
            let lines = lines(SharedAdmin::clone(&admin), filter, after);
            return Ok(RequestsAnswer::Ok(RequestsContent::Csv(Csv::begin(&UsageRequest::COLUMNS, lines).await?)));
        }
        let rows = opened.reader.requests(&filter, after.as_ref(), i64::from(limit) + 1).await.map_err(unread)?;
        let found = opened.reader.count_requests(&filter, COUNTED + 1).await.map_err(unread)?;
        let page = list::page(rows, limit, found.min(COUNTED), UsageRow::key, UsageRequest::from);
        let (items, next, total) = (page.items, page.next, page.total);
        let page = UsageRequestPage { items, next, total, total_is_at_least: found > COUNTED };
        Ok(RequestsAnswer::Ok(RequestsContent::Json(Json(page))))
    }
}

/// Where the page before has ended; only what the database can hold.
fn after(cursor: Option<&str>) -> Result<Option<UsageRowKey>, Problem> {
    let key: Option<UsageRowKey> = list::cursor(cursor)?;
    let possible = |(time, id): &UsageRowKey| YEARS.contains(&time.year()) && !id.contains('\0');
    if key.as_ref().is_none_or(possible) { Ok(key) } else { Err(list::no_cursor()) }
}

/// The lines of some requests at a time, each read when the client has taken what was before; nothing is held meanwhile.
fn lines(
    admin: SharedAdmin,
    filter: UsageListFilter,
    after: Option<UsageRowKey>,
) -> impl Stream<Item = Result<Lines, Problem>> + Send {
    stream::try_unfold((admin, filter, after, true), |(admin, filter, after, more)| async move {
        if !more {
            return Ok(None);
        }
        let (mut reader, turn) = read_on(&admin).await?;
        let rows = reader.requests(&filter, after.as_ref(), AT_A_TIME).await.map_err(unread)?;
        drop((reader, turn));
        let more = i64::try_from(rows.len()).is_ok_and(|read| read == AT_A_TIME);
        let after = rows.last().map(UsageRow::key);
        let mut lines = Lines::default();
        for row in rows {
            UsageRequest::from(row).write(&mut lines);
        }
        Ok(Some((lines, (admin, filter, after, more))))
    })
}
