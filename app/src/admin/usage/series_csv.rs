//! Series as CSV: a line for each group in each bucket, some buckets at a time.

use futures_util::{Stream, stream};
use uuid::Uuid;

use super::bucket::GroupBy;
use super::csv::Lines;
use super::opened::read_on;
use super::report::{GroupKey, Series, Wall};
use super::series::{MOST_LINES, MOST_POINTS, Plan, crowded, names};
use super::totals::UsageTotals;
use super::turns::unread;
use crate::admin::SharedAdmin;
use crate::admin::problem::Problem;
use crate::store::{Buckets, UsageGrouping, UsageReader};

/// Groups at the most.
const MOST_GROUPS: usize = 50_000;

/// A group, and what people call it.
pub(super) type NamedGroup = (GroupKey, Option<String>);

/// The groups of a whole range, with their names; without grouping the only one.
pub(super) async fn groups(reader: &mut UsageReader, plan: &Plan) -> Result<Vec<NamedGroup>, Problem> {
    let grouping = plan.group_by.grouping();
    if grouping == UsageGrouping::Nothing {
        return Ok(vec![((None, None), None)]);
    }
    let whole = Buckets { starts: plan.buckets.starts.first().copied().into_iter().collect(), end: plan.buckets.end };
    let most = i64::try_from(MOST_GROUPS).unwrap_or(i64::MAX) + 1;
    let points = reader.points(plan.source, &whole, grouping, &plan.filter, most).await.map_err(unread)?;
    if points.len() > MOST_GROUPS {
        let told = format!("there are more than {MOST_GROUPS} groups; take a shorter range or a filter");
        return Err(Problem::field("group_by", told));
    }
    if points.len() * plan.buckets.starts.len() > MOST_LINES {
        return Err(crowded(plan.buckets.starts.len(), MOST_LINES));
    }
    let ids: Vec<Uuid> = points.iter().filter_map(|point| point.group_id).collect();
    let names = names(reader, grouping, &ids).await?;
    let groups = points.into_iter().map(|point| {
        let name = point.group_id.map_or_else(|| point.group_name.clone(), |id| names.get(&id).cloned());
        ((point.group_id, point.group_name), name)
    });
    Ok(groups.collect())
}

/// The names of the columns.
pub(super) fn columns(group_by: GroupBy) -> Vec<&'static str> {
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
pub(super) fn lines(
    admin: SharedAdmin,
    plan: Plan,
    groups: Vec<NamedGroup>,
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
        let (mut reader, turn) = read_on(&admin).await?;
        // Groups that are new since they were listed are left out, and displace none that is not.
        let most = i64::try_from(MOST_POINTS + MOST_GROUPS).unwrap_or(i64::MAX);
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
