//! Totals and series as they are shown, put together from what the database has found.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, FixedOffset, Offset as _, TimeZone as _, Utc};
use chrono_tz::Tz;
use poem_openapi::Object;
use uuid::Uuid;

use super::bucket::Bucket;
use super::totals::UsageTotals;
use crate::store::{Buckets, UsagePoint, UsageSums};

/// The usage of a bucket.
#[derive(Object, Clone, Debug)]
pub(super) struct UsageInBucket {
    /// The bucket's first instant.
    start: DateTime<FixedOffset>,
    totals: UsageTotals,
}

/// The usage of a user, an access key, a provider or a model.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct UsageGroup {
    /// The user or the access key.
    id: Option<Uuid>,
    /// The user's name, the beginning of the access key, the provider or the model.
    name: Option<String>,
    totals: UsageTotals,
    /// Every bucket of the range.
    series: Vec<UsageInBucket>,
}

/// Usage over time.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub struct UsageReport {
    /// The first instant of what is reported: the start of the first bucket.
    from: DateTime<FixedOffset>,
    /// The first instant after it: the end of the last bucket.
    to: DateTime<FixedOffset>,
    /// The time zone (IANA) in which days, weeks and months begin.
    zone: String,
    bucket: Bucket,
    totals: UsageTotals,
    /// Every bucket of the range, those without any usage as well; they add up to the totals.
    series: Vec<UsageInBucket>,
    /// With `group_by`: those that have any usage, the dearest first.
    groups: Option<Vec<UsageGroup>>,
}

/// Which group it is.
pub(super) type GroupKey = (Option<Uuid>, Option<String>);

/// Writes instants as the clock on the wall shows them there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wall(Tz);

impl Wall {
    /// Of this zone; UTC if only the database knows it.
    pub(super) fn of(zone: &str) -> Self {
        Self(zone.parse().unwrap_or(Tz::UTC))
    }

    pub(super) fn at(self, instant: DateTime<Utc>) -> DateTime<FixedOffset> {
        instant.with_timezone(&self.0.offset_from_utc_datetime(&instant.naive_utc()).fix())
    }
}

/// The series of each group, in buckets of the same order.
#[derive(Debug)]
pub(super) struct Series<'b> {
    buckets: &'b Buckets,
    groups: BTreeMap<GroupKey, Vec<UsageSums>>,
}

impl<'b> Series<'b> {
    /// Without gaps.
    pub(super) fn filled(buckets: &'b Buckets, points: Vec<UsagePoint>) -> Self {
        let mut groups: BTreeMap<GroupKey, Vec<UsageSums>> = BTreeMap::new();
        for point in points {
            let sums = groups.entry((point.group_id, point.group_name));
            let sums = sums.or_insert_with(|| vec![UsageSums::default(); buckets.starts.len()]);
            if let Some(sum) = buckets.starts.binary_search(&point.start).ok().and_then(|number| sums.get_mut(number)) {
                *sum += point.sums;
            }
        }
        Self { buckets, groups }
    }

    /// Those with usage.
    pub(super) fn keys(&self) -> impl Iterator<Item = &GroupKey> {
        self.groups.keys()
    }

    /// What a group has in a bucket.
    pub(super) fn at(&self, group: &GroupKey, number: usize) -> UsageTotals {
        self.groups.get(group).and_then(|sums| sums.get(number)).copied().unwrap_or_default().into()
    }

    /// The whole report.
    pub(super) fn report(
        self,
        zone: String,
        bucket: Bucket,
        grouped: bool,
        names: &HashMap<Uuid, String>,
    ) -> UsageReport {
        let (wall, buckets) = (Wall::of(&zone), self.buckets);
        let mut all = vec![UsageSums::default(); buckets.starts.len()];
        for sums in self.groups.values() {
            all.iter_mut().zip(sums).for_each(|(all, sum)| *all += *sum);
        }
        let shown = |sums: &[UsageSums]| {
            let starts = buckets.starts.iter().map(|start| wall.at(*start));
            starts.zip(sums).map(|(start, sum)| UsageInBucket { start, totals: (*sum).into() }).collect::<Vec<_>>()
        };
        let groups = grouped.then(|| {
            let groups = self.groups.iter().map(|((id, name), sums)| UsageGroup {
                id: *id,
                name: id.map_or_else(|| name.clone(), |id| names.get(&id).cloned()),
                totals: total(sums).into(),
                series: shown(sums),
            });
            let mut groups: Vec<UsageGroup> = groups.collect();
            // Stable: what costs the same stays in the order of ids and names.
            groups.sort_by_key(|group| Reverse(group.totals.cost_usd));
            groups
        });
        let from = wall.at(buckets.starts.first().copied().unwrap_or(buckets.end));
        let (totals, series) = (total(&all).into(), shown(&all));
        UsageReport { from, to: wall.at(buckets.end), zone, bucket, totals, series, groups }
    }
}

fn total(sums: &[UsageSums]) -> UsageSums {
    sums.iter().fold(UsageSums::default(), |mut total, sum| {
        total += *sum;
        total
    })
}
