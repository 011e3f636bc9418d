//! Buckets begin where a second implementation of the tz database says, at changes of the clock above all.

use std::collections::HashMap;

use chrono::{
    DateTime, Datelike as _, Days, NaiveDate, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _, Timelike as _, Utc,
};
use chrono_tz::Tz;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;
use support::TestDatabase;

use super::at;

const BUCKETS: [&str; 5] = ["minute", "hour", "day", "week", "month"];

/// Zones whose rules are settled for these years: offsets of half and three quarters of an hour, changes by half an hour
/// (Lord Howe) and by two (Troll), at midnight and to midnight (Havana, the Azores, Beirut, Santiago), a summer time that
/// pauses (Casablanca), offsets that were changed for good (Caracas, Pyongyang, Apia), and none of all that.
const ZONES: &[Tz] = &[
    Tz::UTC,
    Tz::Africa__Cairo,
    Tz::Africa__Casablanca,
    Tz::America__Caracas,
    Tz::America__Havana,
    Tz::America__Los_Angeles,
    Tz::America__New_York,
    Tz::America__Santiago,
    Tz::America__Sao_Paulo,
    Tz::America__St_Johns,
    Tz::Antarctica__Troll,
    Tz::Asia__Amman,
    Tz::Asia__Beirut,
    Tz::Asia__Kathmandu,
    Tz::Asia__Kolkata,
    Tz::Asia__Pyongyang,
    Tz::Asia__Seoul,
    Tz::Asia__Tehran,
    Tz::Atlantic__Azores,
    Tz::Australia__Adelaide,
    Tz::Australia__Eucla,
    Tz::Australia__Lord_Howe,
    Tz::Australia__Sydney,
    Tz::Europe__Berlin,
    Tz::Europe__Dublin,
    Tz::Europe__London,
    Tz::Pacific__Apia,
    Tz::Pacific__Chatham,
    Tz::Pacific__Kiritimati,
    Tz::Pacific__Marquesas,
];
const YEARS: std::ops::RangeInclusive<i32> = 2015..=2025;

/// Where each of these instants' buckets begin, by the function that writers use, in one query.
async fn begun(database: &TestDatabase, cases: &[(Tz, DateTime<Utc>)]) -> Vec<[DateTime<Utc>; 5]> {
    let zones: Vec<&str> = cases.iter().map(|(zone, _)| zone.name()).collect();
    let instants: Vec<DateTime<Utc>> = cases.iter().map(|(_, instant)| *instant).collect();
    let starts: Vec<Vec<DateTime<Utc>>> = sqlx::query_scalar(
        "SELECT ARRAY(SELECT usage_bucket_start(bucket, instant, zone)
                        FROM unnest($3::text[]) WITH ORDINALITY AS b (bucket, place) ORDER BY place)
           FROM unnest($1::text[], $2::timestamptz[]) WITH ORDINALITY AS c (zone, instant, number) ORDER BY number",
    )
    .bind(zones)
    .bind(instants)
    .bind(BUCKETS)
    .fetch_all(&database.pool)
    .await
    .unwrap();
    starts.into_iter().map(|starts| starts.try_into().unwrap()).collect()
}

/// The same by looking at the clock on the wall, step by step.
#[derive(Default)]
struct Walls {
    days: HashMap<(Tz, NaiveDate), DateTime<Utc>>,
}

impl Walls {
    fn starts(&mut self, zone: Tz, instant: DateTime<Utc>) -> [DateTime<Utc>; 5] {
        let wall = instant.with_timezone(&zone);
        let date = wall.date_naive();
        let monday = date - Days::new(u64::from(wall.weekday().num_days_from_monday()));
        let first = date.with_day(1).unwrap();
        [
            back(zone, instant, |wall| (wall.hour(), wall.minute())),
            back(zone, instant, |wall| (wall.hour(), 0)),
            self.day(zone, date),
            self.day(zone, monday),
            self.day(zone, first),
        ]
    }

    /// The first quarter of an hour whose date is this one.
    fn day(&mut self, zone: Tz, date: NaiveDate) -> DateTime<Utc> {
        *self.days.entry((zone, date)).or_insert_with(|| {
            let midnight = date.and_time(chrono::NaiveTime::MIN).and_utc();
            let quarters = (-15 * 4..=15 * 4).map(|quarter| midnight + TimeDelta::minutes(15 * quarter));
            // A date that the zone has skipped begins with the one after it.
            quarters.into_iter().find(|instant| instant.with_timezone(&zone).date_naive() >= date).unwrap()
        })
    }
}

/// Minute by minute back, as long as the clock on the wall shows the same and is set the same.
fn back<T: PartialEq>(zone: Tz, instant: DateTime<Utc>, shown: impl Fn(&NaiveDateTime) -> T) -> DateTime<Utc> {
    let seen = |instant: DateTime<Utc>| {
        let wall = instant.with_timezone(&zone);
        (shown(&wall.naive_local()), wall.offset().fix())
    };
    let mut start = instant.with_second(0).unwrap().with_nanosecond(0).unwrap();
    let there = seen(start);
    for _ in 0..60 {
        let earlier = start - TimeDelta::minutes(1);
        if seen(earlier) != there {
            break;
        }
        start = earlier;
    }
    start
}

/// The instants, to the quarter of an hour, at which the clock is changed in these years.
fn changes(zone: Tz) -> Vec<DateTime<Utc>> {
    let offset = |instant: DateTime<Utc>| instant.with_timezone(&zone).offset().fix();
    let quarter = TimeDelta::minutes(15);
    let year = |year| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
    let mut changes = Vec::new();
    let mut day = year(*YEARS.start());
    while day < year(*YEARS.end() + 1) {
        let next = day + TimeDelta::days(1);
        if offset(day) != offset(next) {
            let quarters = (1..=96).map(|number| day + quarter * number);
            changes.extend(quarters.filter(|&instant| offset(instant - quarter) != offset(instant)));
        }
        day = next;
    }
    changes
}

/// Any instant of the years in any of the zones, every other one within 30 hours of a change of the clock there.
fn instants() -> impl Strategy<Value = (Tz, DateTime<Utc>)> {
    let seconds = (YEARS.end() + 1 - YEARS.start()) * 365 * 86_400;
    let start = Utc.with_ymd_and_hms(*YEARS.start(), 1, 1, 0, 0, 0).unwrap();
    let changes: Vec<(Tz, Vec<DateTime<Utc>>)> = ZONES.iter().map(|&zone| (zone, changes(zone))).collect();
    let near = -108_000_i64..108_000;
    (proptest::sample::select(changes), proptest::bool::ANY, proptest::num::usize::ANY, 0..seconds, near).prop_map(
        move |((zone, changes), near_change, which, second, near)| match changes.get(which % changes.len().max(1)) {
            Some(change) if near_change => (zone, *change + TimeDelta::seconds(near)),
            _ => (zone, start + TimeDelta::seconds(second.into())),
        },
    )
}

#[tokio::test]
async fn buckets_begin_where_the_clock_on_the_wall_says() {
    let database = TestDatabase::create().await;
    let mut runner = TestRunner::default();
    let strategy = instants();
    let cases: Vec<_> = (0..20_000).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    let starts = begun(&database, &cases).await;
    let mut walls = Walls::default();
    for (&(zone, instant), starts) in cases.iter().zip(&starts) {
        assert_eq!(*starts, walls.starts(zone, instant), "{BUCKETS:?} of {instant} in {zone}");
        assert!(starts.iter().all(|start| *start <= instant), "{instant} in {zone} is before {starts:?}");
    }
    // The start of a bucket is in that bucket.
    for (number, bucket) in BUCKETS.iter().enumerate() {
        let firsts: Vec<_> = cases.iter().zip(&starts).map(|((zone, _), starts)| (*zone, starts[number])).collect();
        for ((zone, start), again) in firsts.iter().zip(begun(&database, &firsts).await) {
            assert_eq!(again[number], *start, "{bucket} in {zone}");
        }
    }
}

/// The same, spelled out.
#[tokio::test]
async fn days_of_23_and_25_hours_and_hours_that_come_twice() {
    let database = TestDatabase::create().await;
    for (zone, instant, bucket, start) in [
        // A day of 23 hours and one of 25.
        (Tz::Europe__Berlin, "2026-03-29T21:59:59Z", "day", "2026-03-28T23:00:00Z"),
        (Tz::Europe__Berlin, "2026-03-29T22:00:00Z", "day", "2026-03-29T22:00:00Z"),
        (Tz::Europe__Berlin, "2026-10-25T22:59:59Z", "day", "2026-10-24T22:00:00Z"),
        (Tz::Europe__Berlin, "2026-10-25T23:00:00Z", "day", "2026-10-25T23:00:00Z"),
        // 02:30 comes twice and is in two hours.
        (Tz::Europe__Berlin, "2026-10-25T00:30:00Z", "hour", "2026-10-25T00:00:00Z"),
        (Tz::Europe__Berlin, "2026-10-25T01:30:00Z", "hour", "2026-10-25T01:00:00Z"),
        // Weeks begin on Monday, by the calendar there.
        (Tz::Europe__Berlin, "2026-03-29T21:59:59Z", "week", "2026-03-22T23:00:00Z"),
        (Tz::Asia__Seoul, "2026-02-28T15:00:00Z", "month", "2026-02-28T15:00:00Z"),
        // Offsets of 5:45 and 5:30.
        (Tz::Asia__Kathmandu, "2026-05-05T10:20:30Z", "hour", "2026-05-05T10:15:00Z"),
        (Tz::Asia__Kolkata, "2026-05-05T10:20:30Z", "hour", "2026-05-05T09:30:00Z"),
        (Tz::Asia__Kolkata, "2026-05-05T10:20:30Z", "minute", "2026-05-05T10:20:00Z"),
        // The first midnight of a day, and of a month, that has two.
        (Tz::America__Havana, "2026-11-01T04:30:00Z", "day", "2026-11-01T04:00:00Z"),
        (Tz::America__Havana, "2026-11-01T05:30:00Z", "month", "2026-11-01T04:00:00Z"),
        // A day without midnight begins at one.
        (Tz::America__Havana, "2026-03-08T06:00:00Z", "day", "2026-03-08T05:00:00Z"),
        // The clock goes back by half an hour, from 02:00 to 01:30.
        (Tz::Australia__Lord_Howe, "2026-04-04T14:59:00Z", "hour", "2026-04-04T14:00:00Z"),
        (Tz::Australia__Lord_Howe, "2026-04-04T15:01:00Z", "hour", "2026-04-04T15:00:00Z"),
        (Tz::Australia__Lord_Howe, "2026-04-04T15:30:00Z", "hour", "2026-04-04T15:30:00Z"),
    ] {
        let starts = begun(&database, &[(zone, at(instant))]).await[0];
        let number = BUCKETS.iter().position(|name| *name == bucket).unwrap();
        assert_eq!(starts[number], at(start), "the {bucket} of {instant} in {zone}");
    }
}
