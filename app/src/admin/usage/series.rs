//! Usage over time: totals and series.

use std::collections::HashMap;

use futures_util::{Stream, stream};
use poem::Request;
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi, ResponseContent};
use uuid::Uuid;

use super::csv::{self, Csv, Lines};
use super::filter::{ServedBy, text};
use super::range::{Asked, Period, forward, readable};
use super::report::{Bucket, GroupBy, GroupKey, Series, UsageReport, UsageTotals, Wall};
use super::turns::unread;
use crate::admin::SharedAdmin;
use crate::admin::caller::Caller;
use crate::admin::problem::{Problem, Refused, Reporting};
use crate::admin::service::Tag;
use crate::store::{Buckets, UsageFilter, UsageGrouping, UsageReader, UsageSource};

/// Buckets of a series at the most: 62 days by the hour, four years by the day.
const MOST_BUCKETS: usize = 1500;
/// Buckets times groups at the most, in JSON, and of what is in memory at a time.
const MOST_POINTS: usize = 20_000;
/// The same as CSV.
const MOST_LINES: usize = 1_000_000;

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
struct Plan {
    zone: String,
    bucket: Bucket,
    buckets: Buckets,
    group_by: GroupBy,
    source: UsageSource,
    filter: UsageFilter,
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
        let turn = admin.turns.take().await?;
        let mut reader = admin.database.read_usage().await?;
        let plan = plan(&mut reader, asked, bucket.0, group_by.0.unwrap_or(GroupBy::None), filter).await?;
        if !csv::wanted(request) {
            return Ok(SeriesAnswer::Ok(SeriesContent::Json(Json(report(&mut reader, plan).await?))));
        }
        let groups = groups(&mut reader, &plan).await?;
        drop((reader, turn));
        let columns = columns(plan.group_by);
        let pieces = pieces(SharedAdmin::clone(&admin), plan, groups);
        Ok(SeriesAnswer::Ok(SeriesContent::Csv(Csv::begin(&columns, pieces).await?)))
    }
}

async fn plan(
    reader: &mut UsageReader,
    asked: Asked,
    bucket: Option<Bucket>,
    group_by: GroupBy,
    filter: UsageFilter,
) -> Result<Plan, Problem> {
    let clock = reader.clock().await.map_err(unread)?;
    let (from, to) = asked.ends(&clock);
    let range = reader.range(&clock.zone, from, to).await.map_err(unread)?;
    forward(range)?;
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
    let buckets = reader.buckets(bucket.name(), range, &clock.zone, most).await.map_err(unread)?;
    if buckets.starts.len() > MOST_BUCKETS {
        let told = format!(
            "the range has more than {MOST_BUCKETS} buckets of a {}; take a longer bucket or a shorter range",
            bucket.name()
        );
        return Err(Problem::field("bucket", told));
    }
    Ok(Plan { zone: clock.zone, bucket, buckets, group_by, source, filter })
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

fn crowded(buckets: usize, most: usize) -> Problem {
    let told = format!(
        "there are more than {most} buckets in all, {buckets} for each group; take a longer bucket, a shorter range or a filter{}",
        if most < MOST_LINES { ", or ask for CSV" } else { "" }
    );
    Problem::field("group_by", told)
}

async fn names(
    reader: &mut UsageReader,
    grouping: UsageGrouping,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, String>, Problem> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(reader.names(grouping, ids).await.map_err(unread)?.into_iter().collect())
}

/// The groups of a whole range, with their names; without grouping the only one.
async fn groups(reader: &mut UsageReader, plan: &Plan) -> Result<Vec<(GroupKey, Option<String>)>, Problem> {
    let grouping = plan.group_by.grouping();
    if grouping == UsageGrouping::Nothing {
        return Ok(vec![((None, None), None)]);
    }
    let whole = Buckets { starts: plan.buckets.starts.first().copied().into_iter().collect(), end: plan.buckets.end };
    let most = i64::try_from(MOST_POINTS).unwrap_or(i64::MAX) + 1;
    let points = reader.points(plan.source, &whole, grouping, &plan.filter, most).await.map_err(unread)?;
    if points.len() > MOST_POINTS || points.len() * plan.buckets.starts.len() > MOST_LINES {
        return Err(crowded(plan.buckets.starts.len(), MOST_LINES));
    }
    let ids: Vec<Uuid> = points.iter().filter_map(|point| point.group_id).collect();
    let names = names(reader, grouping, &ids).await?;
    let named = points.into_iter().map(|point| {
        let name = point.group_id.map_or_else(|| point.group_name.clone(), |id| names.get(&id).cloned());
        ((point.group_id, point.group_name), name)
    });
    Ok(named.collect())
}

fn columns(group_by: GroupBy) -> Vec<&'static str> {
    let of_group: &[&str] = match group_by {
        GroupBy::None => &[],
        GroupBy::User => &["user_id", "user_name"],
        GroupBy::AccessKey => &["access_key_id", "access_key_prefix"],
        GroupBy::Provider => &["provider"],
        GroupBy::Model => &["model"],
    };
    [&["start"], of_group, &UsageTotals::COLUMNS].concat()
}

/// The lines of some buckets at a time, each read when the client has taken what was before.
fn pieces(
    admin: SharedAdmin,
    plan: Plan,
    groups: Vec<(GroupKey, Option<String>)>,
) -> impl Stream<Item = Result<Lines, Problem>> + Send {
    let at_a_time = (MOST_POINTS / groups.len().max(1)).max(1);
    stream::try_unfold((admin, plan, groups, 0), move |(admin, plan, groups, first)| async move {
        let starts = &plan.buckets.starts;
        if first >= starts.len() || groups.is_empty() {
            return Ok(None);
        }
        let next = starts.len().min(first + at_a_time);
        let some = Buckets {
            starts: starts[first..next].to_vec(),
            end: starts.get(next).copied().unwrap_or(plan.buckets.end),
        };
        let turn = admin.turns.take().await?;
        let mut reader = admin.database.read_usage().await?;
        let most = i64::try_from(MOST_POINTS).unwrap_or(i64::MAX);
        let points = reader.points(plan.source, &some, plan.group_by.grouping(), &plan.filter, most).await;
        let series = Series::filled(&some, points.map_err(unread)?);
        drop((reader, turn));
        let wall = Wall::of(&plan.zone);
        let mut lines = Lines::default();
        for (number, start) in some.starts.iter().enumerate() {
            for (group, name) in &groups {
                lines.value(wall.at(*start).to_rfc3339());
                if group.0.is_some() {
                    lines.optional(group.0);
                }
                if plan.group_by != GroupBy::None {
                    lines.text(name.as_deref().unwrap_or_default());
                }
                series.at(group, number).write(&mut lines);
                lines.end();
            }
        }
        Ok(Some((lines, (admin, plan, groups, next))))
    })
}
