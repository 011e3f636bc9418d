//! `usage-verify`: what it finds, what it mends, and that it cries no wolf.

use std::process::Output;
use std::time::Duration;

use claude_code_proxy::store::{Database, Difference, Found, Verification};
use support::process::run;
use support::{Surroundings, TestDatabase, within};

use super::{assert_same, at, execute, id, number, record, sums, two_months};

const FORTNIGHT: Duration = Duration::from_hours(14 * 24);

/// What the sums and the rows disagree about.
pub(super) async fn differences(database: &TestDatabase, repair: bool) -> Vec<Difference> {
    verified(&database.open(), repair).await
}

async fn verified(database: &Database, repair: bool) -> Vec<Difference> {
    let mut differences = Vec::new();
    let what = Verification { from: None, to: None, minutes_kept: FORTNIGHT, repair };
    let found = |found| {
        if let Found::Difference(difference) = found {
            differences.push(difference);
        }
    };
    assert!(within("a verification", database.verify_usage(what, found)).await.unwrap(), "the zone stays");
    differences
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn what_is_wrong_is_reported_and_repaired() {
    let around = Surroundings::start().await.with("REPORT_TIMEZONE", "Europe/Berlin");
    let database = &around.database;
    let writer = database.open();
    writer.settle_zone("Europe/Berlin").await.unwrap();
    writer.store_usage(&two_months()).await.unwrap();
    writer.store_usage(&[record(1, 12, at("2026-03-29T00:30:00Z"))]).await.unwrap();
    let right = sums(database).await;

    let (code, out, err) = told(&run(&["usage-verify"], around.environment(), "").await);
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    assert!(err.contains("all sums are those of their rows"), "{err}");

    // A sum that is too small, one that is missing, one of nothing, a cost that is off by the last digit.
    execute(
        database,
        "UPDATE usage_aggregates SET total_output_tokens = total_output_tokens - 5
          WHERE bucket_type = 'day' AND bucket_start = '2026-03-28T23:00:00Z' AND access_key_id IS NULL",
    )
    .await;
    assert!(
        execute(database, "DELETE FROM usage_aggregates WHERE bucket_type = 'week' AND access_key_id IS NULL").await
            > 5
    );
    execute(
        database,
        "INSERT INTO usage_aggregates (bucket_type, bucket_start, user_id, total_requests, total_tokens)
         VALUES ('month', '2025-01-10T00:00:00Z', gen_random_uuid(), 1, 7)",
    )
    .await;
    execute(
        database,
        "UPDATE usage_aggregates SET total_cost_usd = total_cost_usd + 0.0000000001
          WHERE bucket_type = 'hour' AND bucket_start = '2026-03-29T00:00:00Z' AND access_key_id IS NOT NULL",
    )
    .await;
    let wrong = sums(database).await;

    let (code, out, err) = told(&run(&["usage-verify"], around.environment(), "").await);
    assert_eq!(code, Some(1), "{err}");
    let (user, key) = (id(1), id(12));
    for line in [
        format!(
            "day     2026-03-29T00:00:00+01:00  {user}  {:<36}  bedrock   total_output_tokens                545           550\n",
            "all keys"
        ),
        format!(
            "hour    2026-03-29T01:00:00+01:00  {user}  {key}  bedrock   total_cost_usd            0.0018000002  0.0018000001\n"
        ),
    ] {
        assert!(out.contains(&line), "{line} is not in\n{out}");
    }
    assert!(out.contains("\nweek ") && out.contains("month   2025-01-10T01:00:00+01:00"), "{out}");
    let lines = out.lines().count() - 1;
    assert!(err.contains(&format!("{lines} differences; --repair corrects them")), "{err}");
    // Nothing is changed unless it is asked for.
    assert_same(&sums(database).await, &wrong);

    let (code, repaired, err) = told(&run(&["usage-verify", "--repair"], around.environment(), "").await);
    assert_eq!((code, repaired), (Some(1), out), "{err}");
    assert!(err.contains(&format!("{lines} differences, corrected")), "{err}");
    assert_same(&sums(database).await, &right);
    assert_eq!(told(&run(&["usage-verify"], around.environment(), "").await).0, Some(0));
}

/// `--from` and `--to` take in whole days, weeks and months, and nothing else.
#[tokio::test]
async fn a_part_of_the_time_can_be_compared() {
    let around = Surroundings::start().await;
    let writer = around.database.open();
    let days = ["2026-01-15T12:00:00Z", "2026-02-15T12:00:00Z", "2026-03-15T12:00:00Z"];
    writer.store_usage(&days.map(|day| record(1, 2, at(day)))).await.unwrap();
    execute(&around.database, "UPDATE usage_aggregates SET total_tokens = 0").await;
    let arguments = ["usage-verify", "--repair", "--from", "2026-02-15T20:00:00Z", "--to", "2026-03-01T00:00:00Z"];
    let (code, out, err) = told(&run(&arguments, around.environment(), "").await);
    assert_eq!(code, Some(1), "{err}");
    // The hour, the day, the week and the month, for the key and for the user; minutes are too old.
    assert_eq!(out.lines().count(), 1 + 8, "{out}");
    assert!(out.lines().skip(1).all(|line| line.contains(" 2026-02-")), "{out}");
    let others = "SELECT count(*) FROM usage_aggregates WHERE total_tokens = 0 AND bucket_type <> 'minute'";
    assert_eq!(number(&around.database, others).await, 2 * 8);
    for (arguments, expected) in [
        (&["--from", "yesterday"][..], "2026-03-01T00:00:00Z"),
        (&["--rebuild", "--repair"], "cannot be used with"),
        (&["--rebuild", "--from", "2026-02-15T20:00:00Z"], "cannot be used with"),
    ] {
        let (code, _, err) = told(&run(&[&["usage-verify"], arguments].concat(), around.environment(), "").await);
        assert!(code == Some(2) && err.contains(expected), "{arguments:?}: {err}");
    }
}

/// Minutes that are not kept any more are missed by nobody, and are not made again.
#[tokio::test]
async fn minutes_beyond_their_time_are_no_differences() {
    let database = TestDatabase::create().await;
    let writer = database.open();
    writer.store_usage(&two_months()).await.unwrap();
    let right = sums(&database).await;
    assert!(
        execute(
            &database,
            "DELETE FROM usage_aggregates WHERE bucket_type = 'minute' AND bucket_start < now() - interval '15 days'"
        )
        .await
            > 50
    );
    let kept = sums(&database).await;
    assert!(kept.len() < right.len());
    assert_eq!(differences(&database, true).await, []);
    assert_same(&sums(&database).await, &kept);
    // One that is to be kept is missed.
    let youngest = "DELETE FROM usage_aggregates WHERE bucket_type = 'minute' AND access_key_id IS NULL
                       AND bucket_start = (SELECT max(bucket_start) FROM usage_aggregates WHERE bucket_type = 'minute')";
    assert_eq!(execute(&database, youngest).await, 1);
    let found = differences(&database, true).await;
    assert!(
        !found.is_empty() && found.iter().all(|found| found.bucket == "minute" && found.stored.is_zero()),
        "{found:?}"
    );
    assert_same(&sums(&database).await, &kept);
}

/// Two writers and verifications at the same time: no difference is seen, and none is made by repairs.
#[tokio::test]
async fn writers_are_no_differences() {
    let database = TestDatabase::create().await;
    let writers = [1, 2].map(|user| {
        let writer = database.open();
        tokio::spawn(async move {
            for _ in 0..100 {
                let now = chrono::Utc::now();
                writer.store_usage(&[record(user, 3, now), record(9, user, now), record(9, 3, now)]).await.unwrap();
            }
            writer.close().await;
        })
    });
    let verifier = database.open();
    let mut rounds = 0;
    while writers.iter().any(|writer| !writer.is_finished()) {
        assert_eq!(verified(&verifier, rounds % 2 == 1).await, []);
        rounds += 1;
    }
    assert!(rounds > 3, "{rounds} verifications were too few to see anything");
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(verified(&verifier, false).await, []);
    assert_eq!(number(&database, "SELECT count(*) FROM token_usage").await, 600);
}

/// Makes some sums wrong, in the order of writers, so that it is not this that waits in a circle with them.
const SPOIL: &str = "
    WITH held AS MATERIALIZED (
        SELECT id, user_id::text LIKE '%5' AS missing FROM usage_aggregates
         WHERE user_id::text LIKE '%5' AND bucket_type = 'day' OR user_id::text LIKE '%7'
         ORDER BY bucket_type, bucket_start, user_id, access_key_id, provider FOR UPDATE
    ), deleted AS (
        DELETE FROM usage_aggregates a USING held WHERE a.id = held.id AND missing
    )
    UPDATE usage_aggregates a SET total_tokens = total_tokens + 1000 FROM held WHERE a.id = held.id AND NOT missing";

/// What is wrong is mended exactly while others write to the same sums.
#[tokio::test]
async fn repairs_and_writers_do_not_get_in_each_others_way() {
    let database = TestDatabase::create().await;
    let now = chrono::Utc::now();
    let all: Vec<_> = (0..20).map(|user| record(user, user, now)).collect();
    database.open().store_usage(&all).await.unwrap();
    let writers = [1, 2].map(|_| {
        let writer = database.open();
        tokio::spawn(async move {
            for _ in 0..60 {
                let batch: Vec<_> = (0..20).map(|user| record(user, user, now)).collect();
                writer.store_usage(&batch).await.unwrap();
            }
            writer.close().await;
        })
    });
    let (one, other) = (database.open(), database.open());
    let mut mended = 0;
    while writers.iter().any(|writer| !writer.is_finished()) {
        execute(&database, SPOIL).await;
        // Two repairs at once: the second finds nothing left.
        let (first, second) = tokio::join!(verified(&one, true), verified(&other, true));
        mended += first.len() + second.len();
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(mended > 20, "{mended}");
    assert_eq!(verified(&one, false).await, []);
    let requests =
        "SELECT sum(total_requests) FROM usage_aggregates WHERE bucket_type = 'month' AND access_key_id IS NULL";
    assert_eq!(number(&database, requests).await, 20 * 121);
}
