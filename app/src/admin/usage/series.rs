//! Usage over time: totals and series.

use std::collections::HashMap;

use poem::Request;
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi, ResponseContent};
use uuid::Uuid;

use super::bucket::{Bucket, GroupBy};
use super::csv::{self, Csv};
use super::filter::{ServedBy, text};
use super::opened::{Opened, open};
use super::range::{Asked, Period, readable};
use super::report::{Series, UsageReport};
use super::series_csv::{columns, groups, lines};
use super::turns::unread;
use crate::admin::SharedAdmin;
use crate::admin::caller::Caller;
use crate::admin::problem::Problem;
use crate::admin::service::Tag;
use crate::admin::sorts::{Refused, Reporting};
use crate::store::{Buckets, UsageFilter, UsageGrouping, UsageReader, UsageSource};

/// Buckets of a series at the most: 62 days by the hour, four years by the day.
const MOST_BUCKETS: usize = 1500;
/// Buckets times groups at the most, in JSON, and of what is in memory at a time.
pub(super) const MOST_POINTS: usize = 20_000;
/// The same as CSV.
pub(super) const MOST_LINES: usize = 1_000_000;

/// Usage over time.
#[derive(ResponseContent)]
pub enum SeriesContent {
    /// A report.
    Json(Json<UsageReport>),
    /// A line for each bucket, or for each group in each bucket.
    Csv(Csv),
}

/// Usage over time.
#[derive(ApiResponse)]
pub enum SeriesAnswer {
    /// Totals and series; as CSV with `Accept: text/csv`.
    #[oai(status = 200)]
    Ok(SeriesContent),
}

/// What is reported, after all that could be wrong with it.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) zone: String,
    pub(super) bucket: Bucket,
    pub(super) buckets: Buckets,
    pub(super) group_by: GroupBy,
    pub(super) source: UsageSource,
    pub(super) filter: UsageFilter,
}

/// Totals and series.
pub struct UsagePart;

#[OpenApi(prefix_path = "/admin/usage", tag = "Tag::Usage")]
impl UsagePart {
    /// Show usage over time
    ///
    /// Totals, and a series without gaps that adds up to them. Days, weeks and months begin as the calendar has it in the
    /// time zone of the sums, which the answer names. A range that begins or ends inside of a bucket is widened to whole
    /// buckets; the answer says which range it is about. Not more than 1,500 buckets, and 20,000 buckets of all groups
    /// together; as CSV (`Accept: text/csv`) 1,000,000, with a line for each group in each bucket.
    ///
    /// By the minute, and by model, single requests are summed up: by model of 93 days at the most, unless it is about one
    /// user or one access key.
    #[oai(path = "/", method = "get", operation_id = "get_usage")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn show(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        request: &Request,
        /// A period; `this_month` unless `from` is given.
        period: Query<Option<Period>>,
        /// Where the range begins: a day in the time zone of the sums (`2026-10-01`), or a time (RFC 3339).
        #[oai(validator(max_length = 40))]
        from: Query<Option<String>>,
        /// Where the range ends: a day, which belongs to it (`2026-10-31`), or a time, the first that does not; now, unless
        /// given.
        #[oai(validator(max_length = 40))]
        to: Query<Option<String>>,
        /// How the series is cut; unless given: by the hour up to 49 hours, by the day up to 400 days, else by the month.
        bucket: Query<Option<Bucket>>,
        /// What the usage is grouped by; `none` unless given.
        group_by: Query<Option<GroupBy>>,
        /// Of this user only.
        user_id: Query<Option<Uuid>>,
        /// With this access key only.
        access_key_id: Query<Option<Uuid>>,
        /// Served by this provider only.
        provider: Query<Option<ServedBy>>,
        /// For requests of this model only, as it was asked for.
        #[oai(validator(min_length = 1, max_length = 256))]
        model: Query<Option<String>>,
    ) -> Result<SeriesAnswer, Refused<Reporting>> {
        let asked = Asked::read(period.0, from.0.as_deref(), to.0.as_deref(), Period::ThisMonth)?;
        let filter = UsageFilter {
            user_id: user_id.0,
            access_key_id: access_key_id.0,
            provider: provider.0.map(ServedBy::name),
            model: text("model", model.0)?,
        };
        let mut opened = open(&admin, asked).await?;
        let plan = plan(&mut opened, bucket.0, group_by.0.unwrap_or(GroupBy::None), filter).await?;
        if !csv::wanted(request) {
            return Ok(SeriesAnswer::Ok(SeriesContent::Json(Json(report(&mut opened.reader, plan).await?))));
        }
        let groups = groups(&mut opened.reader, &plan).await?;
        drop(opened);
        let columns = columns(plan.group_by);
        let lines = lines(SharedAdmin::clone(&admin), plan, groups);
        Ok(SeriesAnswer::Ok(SeriesContent::Csv(Csv::begin(&columns, lines).await?)))
    }
}

async fn plan(
    opened: &mut Opened<'_>,
    bucket: Option<Bucket>,
    group_by: GroupBy,
    filter: UsageFilter,
) -> Result<Plan, Problem> {
    let (range, zone) = (opened.range, opened.zone.clone());
    let bucket = bucket.unwrap_or_else(|| Bucket::fitting(range));
    let by_model = group_by == GroupBy::Model || filter.model.is_some();
    if by_model {
        let few = filter.user_id.is_some() || filter.access_key_id.is_some();
        readable(range, few, "take a shorter one, give user_id or access_key_id, or leave the model out")?;
    }
    // The sums know no models, and those by the minute are kept for some days only.
    let source =
        if by_model || bucket == Bucket::Minute { UsageSource::Rows } else { UsageSource::Sums(bucket.name()) };
    let most = i32::try_from(MOST_BUCKETS).unwrap_or(i32::MAX) + 1;
    let buckets = opened.reader.buckets(bucket.name(), range, &zone, most).await.map_err(unread)?;
    if buckets.starts.len() > MOST_BUCKETS {
        let told = format!(
            "the range has more than {MOST_BUCKETS} buckets of a {}; take a longer bucket or a shorter range",
            bucket.name()
        );
        return Err(Problem::field("bucket", told));
    }
    Ok(Plan { zone, bucket, buckets, group_by, source, filter })
}

async fn report(reader: &mut UsageReader, plan: Plan) -> Result<UsageReport, Problem> {
    let (grouping, buckets) = (plan.group_by.grouping(), &plan.buckets);
    let most = i64::try_from(MOST_POINTS).unwrap_or(i64::MAX) + 1;
    let points = reader.points(plan.source, buckets, grouping, &plan.filter, most).await.map_err(unread)?;
    let too_many = points.len() > MOST_POINTS;
    let series = Series::filled(buckets, points);
    let ids: Vec<Uuid> = series.keys().filter_map(|(id, _)| *id).collect();
    if too_many || series.keys().count() * buckets.starts.len() > MOST_POINTS {
        return Err(crowded(buckets.starts.len(), MOST_POINTS));
    }
    let names = names(reader, grouping, &ids).await?;
    Ok(series.report(plan.zone, plan.bucket, grouping != UsageGrouping::Nothing, &names))
}

/// Too much for one answer.
pub(super) fn crowded(buckets: usize, most: usize) -> Problem {
    let told = format!(
        "there are more than {most} buckets in all, {buckets} for each group; take a longer bucket, a shorter range or a filter{}",
        if most < MOST_LINES { ", or ask for CSV" } else { "" }
    );
    Problem::field("group_by", told)
}

/// What people call the groups.
pub(super) async fn names(
    reader: &mut UsageReader,
    grouping: UsageGrouping,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, String>, Problem> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(reader.names(grouping, ids).await.map_err(unread)?.into_iter().collect())
}
