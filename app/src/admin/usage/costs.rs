//! What each class of tokens cost.

use chrono::{DateTime, FixedOffset};
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::filter::{ServedBy, text};
use super::opened::open;
use super::range::{Asked, Period, readable};
use super::report::Wall;
use super::turns::unread;
use crate::admin::SharedAdmin;
use crate::admin::caller::Caller;
use crate::admin::money::Usd;
use crate::admin::problem::Problem;
use crate::admin::service::Tag;
use crate::admin::sorts::{Refused, Reporting};
use crate::store::{CostRow, UsageFilter};

/// Models in an answer at the most.
const MOST_MODELS: usize = 1000;

/// Tokens of a class, and what they cost.
#[derive(Object, Clone, Copy, Default, Debug)]
pub(super) struct ClassCost {
    tokens: u64,
    /// In US dollars, with the prices at the time of each request.
    cost_usd: Usd,
}

/// What each class of tokens cost.
#[derive(Object, Clone, Copy, Default, Debug)]
pub(super) struct CostByClass {
    /// Prompts, outside the cache.
    input: ClassCost,
    /// Answers.
    output: ClassCost,
    /// Prompts, read from the cache.
    cache_read: ClassCost,
    /// Prompts, written to the cache for 5 minutes.
    cache_write_5m: ClassCost,
    /// Prompts, written to the cache for an hour.
    cache_write_1h: ClassCost,
}

/// What a model cost at a provider.
#[derive(Object, Clone, Debug)]
pub(super) struct ModelCost {
    /// What was asked for.
    model: String,
    /// What ran.
    upstream_model: String,
    provider: ServedBy,
    requests: u64,
    /// Requests whose model had no price: the dearest known one was taken, or none where there were no prices yet.
    unpriced_requests: u64,
    /// All classes together.
    cost_usd: Usd,
    classes: CostByClass,
}

/// What usage cost.
#[derive(Object, Clone, Debug)]
pub(super) struct UsageCosts {
    /// The first instant of what is reported.
    from: DateTime<FixedOffset>,
    /// The first instant after it.
    to: DateTime<FixedOffset>,
    /// The time zone (IANA) of days.
    zone: String,
    requests: u64,
    /// Requests whose model had no price: the dearest known one was taken, or none where there were no prices yet.
    unpriced_requests: u64,
    /// All classes of all models together, in US dollars.
    cost_usd: Usd,
    classes: CostByClass,
    /// The dearest first.
    models: Vec<ModelCost>,
}

/// Costs.
pub struct UsageCostsPart;

#[OpenApi(prefix_path = "/admin/usage", tag = "Tag::Usage")]
impl UsageCostsPart {
    /// Show what each class of tokens cost
    ///
    /// By model and provider, with the prices that were stored with each request; what the plan served is valued at list
    /// prices and billed by nobody. The range is taken exactly as given. One of more than 93 days has to be about one user
    /// or one access key.
    #[oai(path = "/costs", method = "get", operation_id = "get_usage_costs")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn costs(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        /// A period; `this_month` unless `from` is given.
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
        /// For requests of this model only, as it was asked for.
        #[oai(validator(min_length = 1, max_length = 256))]
        model: Query<Option<String>>,
    ) -> Result<Json<UsageCosts>, Refused<Reporting>> {
        let asked = Asked::read(period.0, from.0.as_deref(), to.0.as_deref(), Period::ThisMonth)?;
        let filter = UsageFilter {
            user_id: user_id.0,
            access_key_id: access_key_id.0,
            provider: provider.0.map(ServedBy::name),
            model: text("model", model.0)?,
        };
        let mut opened = open(&admin, asked).await?;
        let range = opened.range;
        let few = filter.user_id.is_some() || filter.access_key_id.is_some();
        readable(range, few, "take a shorter one, or give user_id or access_key_id")?;
        let most = i64::try_from(MOST_MODELS).unwrap_or(i64::MAX) + 1;
        let rows = opened.reader.costs(range, &filter, most).await.map_err(unread)?;
        if rows.len() > MOST_MODELS {
            let told =
                format!("there are more than {MOST_MODELS} models in the range; give one, or take a shorter range");
            return Err(Problem::field("model", told).into());
        }
        let wall = Wall::of(&opened.zone);
        Ok(Json(UsageCosts {
            from: wall.at(range.0),
            to: wall.at(range.1),
            zone: opened.zone,
            requests: rows.iter().map(|row| row.requests.unsigned_abs()).sum(),
            unpriced_requests: rows.iter().map(|row| row.unpriced_requests.unsigned_abs()).sum(),
            cost_usd: Usd(rows.iter().map(|row| row.cost_usd).sum()),
            classes: rows.iter().fold(CostByClass::default(), |sum, row| sum.plus(&classes(row))),
            models: rows.into_iter().map(ModelCost::from).collect(),
        }))
    }
}

impl CostByClass {
    fn plus(self, other: &Self) -> Self {
        let plus = |one: ClassCost, other: ClassCost| ClassCost {
            tokens: one.tokens + other.tokens,
            cost_usd: Usd(one.cost_usd.0 + other.cost_usd.0),
        };
        Self {
            input: plus(self.input, other.input),
            output: plus(self.output, other.output),
            cache_read: plus(self.cache_read, other.cache_read),
            cache_write_5m: plus(self.cache_write_5m, other.cache_write_5m),
            cache_write_1h: plus(self.cache_write_1h, other.cache_write_1h),
        }
    }
}

fn classes(row: &CostRow) -> CostByClass {
    let class = |tokens: i64, usd: Decimal| ClassCost { tokens: tokens.unsigned_abs(), cost_usd: Usd(usd) };
    CostByClass {
        input: class(row.input_tokens, row.input_usd),
        output: class(row.output_tokens, row.output_usd),
        cache_read: class(row.cache_read_tokens, row.cache_read_usd),
        cache_write_5m: class(row.cache_write_5m_tokens, row.cache_write_5m_usd),
        cache_write_1h: class(row.cache_write_1h_tokens, row.cache_write_1h_usd),
    }
}

impl From<CostRow> for ModelCost {
    fn from(row: CostRow) -> Self {
        Self {
            classes: classes(&row),
            model: row.model,
            upstream_model: row.upstream_model,
            provider: ServedBy::parse(&row.provider),
            requests: row.requests.unsigned_abs(),
            unpriced_requests: row.unpriced_requests.unsigned_abs(),
            cost_usd: Usd(row.cost_usd),
        }
    }
}
