//! Who used most.

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Enum, Object, OpenApi};
use uuid::Uuid;

use super::filter::ServedBy;
use super::opened::open;
use super::range::{Asked, Period};
use super::report::Wall;
use super::turns::unread;
use crate::admin::SharedAdmin;
use crate::admin::caller::Caller;
use crate::admin::money::Usd;
use crate::admin::problem::Problem;
use crate::admin::service::Tag;
use crate::admin::sorts::{Refused, Reporting};
use crate::store::{self, TopOrder};

/// Users that are listed unless something else is asked for.
const DEFAULT_LIMIT: u32 = 10;
/// Days of a ranking at the most: ten years.
const MOST_DAYS: usize = 3660;

/// What "most" means.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(super) enum RankedBy {
    /// US dollars.
    Cost,
    /// Tokens of all classes.
    Tokens,
    /// Requests.
    Requests,
}

/// What was used.
#[derive(Object, Clone, Copy, Default, Debug)]
pub(super) struct Used {
    requests: u64,
    /// Tokens of all classes.
    total_tokens: u64,
    /// What they cost, in US dollars; of the plan, what they would have at the list price.
    cost_usd: Usd,
}

/// A user who used much.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct TopUser {
    user_id: Uuid,
    /// Missing when there is no such user any more.
    name: Option<String>,
    totals: Used,
}

/// Those who used most.
#[derive(Object, Clone, Debug)]
pub(super) struct TopUsers {
    /// The first instant of what is reported: the start of its first day.
    from: DateTime<FixedOffset>,
    /// The first instant after it: the end of its last day.
    to: DateTime<FixedOffset>,
    /// The time zone (IANA) in which days begin.
    zone: String,
    /// The first used most.
    items: Vec<TopUser>,
    /// How many users have used anything.
    users: u64,
    /// What all of them have used together.
    totals: Used,
}

/// Rankings.
pub struct TopUsersPart;

#[OpenApi(prefix_path = "/admin/usage", tag = "Tag::Usage")]
impl TopUsersPart {
    /// List who used most
    ///
    /// A range that begins or ends inside of a day is widened to whole days; the answer says which range it is about. Not
    /// more than ten years.
    #[oai(path = "/top", method = "get", operation_id = "list_top_users")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn top(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        /// What "most" means; `cost` unless given.
        by: Query<Option<RankedBy>>,
        /// A period; `this_month` unless `from` is given.
        period: Query<Option<Period>>,
        /// Where the range begins: a day in the time zone of the sums (`2026-10-01`), or a time (RFC 3339).
        #[oai(validator(max_length = 40))]
        from: Query<Option<String>>,
        /// Where the range ends: a day, which belongs to it (`2026-10-31`), or a time, the first that does not; now, unless
        /// given.
        #[oai(validator(max_length = 40))]
        to: Query<Option<String>>,
        /// Served by this provider only.
        provider: Query<Option<ServedBy>>,
        /// How many users, 10 unless given.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<u32>>,
    ) -> Result<Json<TopUsers>, Refused<Reporting>> {
        let asked = Asked::read(period.0, from.0.as_deref(), to.0.as_deref(), Period::ThisMonth)?;
        let order = by.0.map_or(TopOrder::Cost, RankedBy::order);
        let limit = i64::from(limit.0.unwrap_or(DEFAULT_LIMIT));

        let mut opened = open(&admin, asked).await?;
        let range = opened.range;
        let most = i32::try_from(MOST_DAYS).unwrap_or(i32::MAX) + 1;
        let days = opened.reader.buckets("day", range, &opened.zone, most).await.map_err(unread)?;
        if days.starts.len() > MOST_DAYS {
            return Err(Problem::field(
                "from",
                format!("the range has more than {MOST_DAYS} days; take a shorter one"),
            )
            .into());
        }
        let rows =
            opened.reader.top_users(&days, order, provider.0.map(ServedBy::name), limit).await.map_err(unread)?;
        let wall = Wall::of(&opened.zone);
        let (users, totals) = rows.first().map_or((0, Used::default()), |row| {
            (row.users.unsigned_abs(), used(row.all_requests, row.all_tokens, row.all_cost_usd))
        });
        Ok(Json(TopUsers {
            from: wall.at(days.starts.first().copied().unwrap_or(days.end)),
            to: wall.at(days.end),
            zone: opened.zone,
            items: rows.into_iter().map(TopUser::from).collect(),
            users,
            totals,
        }))
    }
}

fn used(requests: i64, total_tokens: i64, cost_usd: rust_decimal::Decimal) -> Used {
    Used { requests: requests.unsigned_abs(), total_tokens: total_tokens.unsigned_abs(), cost_usd: Usd(cost_usd) }
}

impl From<store::TopUser> for TopUser {
    fn from(row: store::TopUser) -> Self {
        Self { user_id: row.user_id, name: row.name, totals: used(row.requests, row.total_tokens, row.cost_usd) }
    }
}

impl RankedBy {
    fn order(self) -> TopOrder {
        match self {
            Self::Cost => TopOrder::Cost,
            Self::Tokens => TopOrder::Tokens,
            Self::Requests => TopOrder::Requests,
        }
    }
}
