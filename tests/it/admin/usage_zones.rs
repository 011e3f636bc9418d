//! Series without gaps that add up to what was used, in every time zone.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use support::{Administrator, TestDatabase};

/// Zones with changes of the clock by an hour, by half an hour, at midnight, a minute past midnight and with a pause, with
/// offsets of three quarters of an hour, and with a date that was skipped.
const ZONES: [&str; 9] = [
    "UTC",
    "Africa/Casablanca",
    "America/Havana",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Apia",
];

/// Days around which most of the rows are: changes of the clock in one of these zones.
const DAYS: [&str; 12] = [
    "2011-11-06T03:00:00Z",
    "2011-12-30T10:00:00Z",
    "2025-02-23T03:00:00Z",
    "2025-03-09T05:00:00Z",
    "2025-03-30T01:00:00Z",
    "2025-04-05T15:00:00Z",
    "2025-04-06T02:00:00Z",
    "2025-10-04T15:30:00Z",
    "2025-10-26T01:00:00Z",
    "2025-11-02T05:00:00Z",
    "2025-12-31T23:30:00Z",
    "2026-03-08T05:00:00Z",
];

/// Rows every eleven minutes for two days around each of the days, of which no two cost the same.
async fn store(database: &TestDatabase) {
    sqlx::query(
        "INSERT INTO token_usage (request_id, timestamp, user_id, access_key_id, model, upstream_model, input_tokens,
                                  output_tokens, cache_read_input_tokens, cache_creation_input_tokens, total_tokens, latency_ms,
                                  provider, cost_usd)
         SELECT gen_random_uuid()::text, day::timestamptz - interval '25 hours' + n * interval '11 minutes' + n * interval '1 second',
                lpad((n % 3)::text, 32, '0')::uuid, lpad((n % 5)::text, 32, '0')::uuid, 'claude-' || n % 2, 'upstream', n, 2 * n,
                3 * n, NULL, 6 * n, 1, CASE WHEN n % 4 = 0 THEN 'plan' ELSE 'bedrock' END, n * 0.000001
           FROM unnest($1::text[]) AS day, generate_series(1, 273) AS n",
    )
    .bind(DAYS)
    .execute(&database.pool)
    .await
    .unwrap();
}

/// What the rows of these buckets say: where each begins, as writers have it, looked for every quarter of an hour and at
/// each minute past a full hour, and the rows from there to the next one.
async fn expected(
    database: &TestDatabase,
    bucket: &str,
    zone: &str,
    range: [DateTime<Utc>; 2],
) -> Vec<(DateTime<Utc>, i64, i64, Decimal)> {
    let step = if bucket == "minute" { "1 minute" } else { "15 minutes" };
    sqlx::query_as(
        "WITH starts AS (
             SELECT DISTINCT usage_bucket_start($1, instant, $2) AS start
               FROM generate_series($3::timestamptz, $4::timestamptz - interval '1 minute', $5::interval) AS step,
            LATERAL (VALUES (step), (step + interval '1 minute')) AS looked (instant)
              WHERE instant < $4
         ), ranges AS (SELECT start, lead(start, 1, $4) OVER (ORDER BY start) AS next FROM starts)
         SELECT start, count(u.id), coalesce(sum(total_tokens), 0)::bigint, coalesce(sum(cost_usd), 0)
           FROM ranges LEFT JOIN token_usage u ON timestamp >= start AND timestamp < next
          GROUP BY start ORDER BY start",
    )
    .bind(bucket)
    .bind(zone)
    .bind(range[0])
    .bind(range[1])
    .bind(step)
    .fetch_all(&database.pool)
    .await
    .unwrap()
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

fn sums(value: &Value) -> (i64, i64, Decimal) {
    let cost = value["cost_usd"].as_str().unwrap().parse().unwrap();
    (value["requests"].as_i64().unwrap(), value["total_tokens"].as_i64().unwrap(), cost)
}

fn added(all: impl IntoIterator<Item = (i64, i64, Decimal)>) -> (i64, i64, Decimal) {
    all.into_iter().fold((0, 0, Decimal::ZERO), |sum, one| (sum.0 + one.0, sum.1 + one.1, sum.2 + one.2))
}

/// A bucket and a range around one of the days.
fn ranges() -> impl Strategy<Value = (&'static str, DateTime<Utc>, DateTime<Utc>)> {
    let lengths = [
        ("minute", 20 * 60),
        ("hour", 60 * 60),
        ("day", 40 * 24 * 60),
        ("week", 90 * 24 * 60),
        ("month", 400 * 24 * 60),
    ];
    let day = proptest::sample::select(&DAYS[..]).prop_map(|day| day.parse::<DateTime<Utc>>().unwrap());
    (proptest::sample::select(lengths.to_vec()), day, -36 * 60_i64..36 * 60, 0.01_f64..1.0).prop_map(
        |((bucket, longest), day, offset, part)| {
            let from = day + TimeDelta::minutes(offset);
            #[expect(clippy::cast_possible_truncation, reason = "a part of what is small")]
            let minutes = (f64::from(longest) * part) as i64;
            (bucket, from, from + TimeDelta::minutes(minutes.max(1)))
        },
    )
}

#[tokio::test]
async fn series_have_no_gaps_and_add_up_to_the_totals_in_every_time_zone() {
    let (app, admin) = Administrator::with_app().await;
    let database = &app.around().database;
    store(database).await;
    let mut runner = TestRunner::default();
    for zone in ZONES {
        assert!(database.open().rebuild_usage(zone, Duration::from_hours(24), |_| {}).await.unwrap());
        for _ in 0..12 {
            let (bucket, from, to) = ranges().new_tree(&mut runner).unwrap().current();
            let what = format!("{bucket} from {from} to {to} in {zone}");
            let call = admin.call("get_usage").query("bucket", bucket).query("from", from.to_rfc3339());
            let report = call.query("to", to.to_rfc3339()).query("group_by", "user").ok().await;
            let taken = [instant(&report["from"]), instant(&report["to"])];
            assert!(taken[0] <= from && taken[1] >= to && report["zone"] == zone, "{what}: {report}");
            let shown = |part: &Value| -> Vec<_> {
                let series = part["series"].as_array().unwrap().iter();
                series.map(|one| (instant(&one["start"]), sums(&one["totals"]))).collect()
            };
            let expected = expected(database, bucket, zone, taken).await;
            let expected: Vec<_> =
                expected.into_iter().map(|(start, count, tokens, cost)| (start, (count, tokens, cost))).collect();
            let series = shown(&report);
            assert_eq!(series, expected, "{what}");
            assert_eq!(sums(&report["totals"]), added(series.into_iter().map(|(_, sums)| sums)), "{what}");
            let groups = report["groups"].as_array().unwrap();
            assert_eq!(sums(&report["totals"]), added(groups.iter().map(|group| sums(&group["totals"]))), "{what}");
            for group in groups {
                assert_eq!(sums(&group["totals"]), added(shown(group).into_iter().map(|(_, sums)| sums)), "{what}");
            }
        }
    }
    app.stop().await;
}

/// Days of the calendar are those of the zone, and both ends belong to the range.
#[tokio::test]
async fn days_are_those_of_the_zone() {
    let (app, admin) = Administrator::with_app().await;
    for (zone, from, to, start, end, hours) in [
        ("Europe/Berlin", "2026-03-29", "2026-03-29", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-25", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 25),
        ("America/Havana", "2026-03-08", "2026-03-08", "2026-03-08T01:00:00-04:00", "2026-03-09T00:00:00-04:00", 23),
        ("America/Havana", "2026-11-01", "2026-11-01", "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00", 25),
        (
            "Australia/Lord_Howe",
            "2026-04-05",
            "2026-04-05",
            "2026-04-05T00:00:00+11:00",
            "2026-04-06T00:00:00+10:30",
            25,
        ),
        ("Asia/Kathmandu", "2026-01-01", "2026-01-02", "2026-01-01T00:00:00+05:45", "2026-01-03T00:00:00+05:45", 48),
    ] {
        sqlx::query("UPDATE usage_time_zone SET name = $1")
            .bind(zone)
            .execute(&app.around().database.pool)
            .await
            .unwrap();
        let report = admin.call("get_usage").query("from", from).query("to", to).query("bucket", "hour").ok().await;
        assert_eq!((&report["from"], &report["to"], &report["zone"]), (&json!(start), &json!(end), &json!(zone)));
        assert_eq!(report["series"].as_array().unwrap().len(), hours, "{zone} {from}");
    }
    app.stop().await;
}

/// What the sums by the minute have forgotten is in the rows.
#[tokio::test]
async fn minutes_are_reported_of_any_age() {
    let (app, admin) = Administrator::with_app().await;
    store(&app.around().database).await;
    let call = admin.call("get_usage").query("bucket", "minute").query("from", "2025-03-30T01:00:00Z");
    let report = call.query("to", "2025-03-30T02:00:00Z").ok().await;
    let rows: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM token_usage WHERE timestamp >= '2025-03-30T01:00:00Z' AND timestamp < '2025-03-30T02:00:00Z'",
    )
    .fetch_one(&app.around().database.pool)
    .await
    .unwrap();
    assert_eq!((&report["totals"]["requests"], report["series"].as_array().unwrap().len()), (&json!(rows), 60));
    assert!(rows > 4, "{rows}");
    app.stop().await;
}
