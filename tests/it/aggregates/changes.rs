//! The time zone of the reports is another one than that of the sums.

use claude_code_proxy::store::ZoneState;
use support::process::{ServeProcess, run};
use support::{Surroundings, TestDatabase, within};

use super::{assert_same, at, execute, number, record, sums, two_months};

const FORTNIGHT: std::time::Duration = std::time::Duration::from_hours(14 * 24);

/// `serve` goes on in the old zone and says what to do; that makes all sums anew.
#[tokio::test]
async fn a_changed_zone_is_told_and_changes_when_the_sums_are_made_anew() {
    // No minute is removed in the meantime.
    let around = Surroundings::start().await.with("MINUTE_AGGREGATES_KEPT", "300d");
    let database = &around.database;
    let writer = database.open();
    writer.store_usage(&two_months()).await.unwrap();
    let in_utc = sums(database).await;

    let around = around.with("REPORT_TIMEZONE", "Asia/Kathmandu");
    let process = ServeProcess::start(&around).await;
    let message = "usage goes on to be summed up in the zone that the sums are in, not in that of REPORT_TIMEZONE; to change \
                   that, run: claude-code-proxy usage-verify --rebuild";
    let line = &process.lines(message, 1).await[0];
    assert_eq!((line["zone"].as_str(), line["level"].as_str()), (Some("UTC"), Some("ERROR")), "{line}");
    let database = &around.database;
    assert_same(&sums(database).await, &in_utc);

    let output = run(&["usage-verify"], around.environment(), "").await;
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{told}");
    assert!(told.contains("zone UTC and REPORT_TIMEZONE is Asia/Kathmandu; --rebuild"), "{told}");

    let output = run(&["usage-verify", "--rebuild"], around.environment(), "").await;
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && told.contains("in the zone Asia/Kathmandu"), "{told}");
    writer.store_usage(&[record(1, 2, at("2026-03-01T00:30:00Z"))]).await.unwrap();
    let output = run(&["usage-verify"], around.environment(), "").await;
    assert!(output.status.success(), "{}", String::from_utf8(output.stderr).unwrap());

    assert!(sums(database).await != in_utc);
    let days = "SELECT count(*) FROM usage_aggregates WHERE bucket_type IN ('day', 'week', 'month')
                   AND (bucket_start AT TIME ZONE 'Asia/Kathmandu')::time <> '00:00'";
    assert_eq!(number(database, days).await, 0);
}

/// Writers wait while the sums are made anew, and lose nothing.
#[tokio::test]
async fn sums_are_made_anew_while_others_write() {
    let database = TestDatabase::create().await;
    let records = two_months();
    let writers: Vec<_> = records.chunks(50).map(<[_]>::to_vec).collect();
    let writers = writers.into_iter().map(|records| {
        let writer = database.open();
        tokio::spawn(async move {
            for record in records {
                writer.store_usage(&[record]).await.unwrap();
            }
            writer.close().await;
        })
    });
    let writers: Vec<_> = writers.collect();
    let rebuilder = database.open();
    for zone in ["America/Havana", "Asia/Kathmandu", "UTC", "Europe/Berlin"] {
        assert!(within("new sums", rebuilder.rebuild_usage(zone, FORTNIGHT, |_| {})).await.unwrap());
    }
    for writer in writers {
        within("a writer", writer).await.unwrap();
    }
    assert_eq!(rebuilder.usage_zone().await.unwrap(), "Europe/Berlin");
    assert_eq!(super::verify::differences(&database, false).await, []);
    assert_eq!(number(&database, "SELECT count(*) FROM token_usage").await, 300);
}

/// What was made anew is what would have been written in that zone.
#[tokio::test]
async fn new_sums_are_those_of_writers_in_that_zone() {
    let records = two_months();
    let (made_anew, written) = (TestDatabase::create().await, TestDatabase::create().await);
    made_anew.open().store_usage(&records).await.unwrap();
    let kept = std::time::Duration::from_hours(300 * 24);
    assert!(made_anew.open().rebuild_usage("Australia/Lord_Howe", kept, |_| {}).await.unwrap());
    written.open().settle_zone("Australia/Lord_Howe").await.unwrap();
    written.open().store_usage(&records).await.unwrap();
    assert_same(&sums(&made_anew).await, &sums(&written).await);
}

/// Before anything is summed up the zone is that of the first who asks, and of nobody afterwards.
#[tokio::test]
async fn an_empty_database_takes_the_zone_of_the_first() {
    let database = TestDatabase::create().await;
    let (one, other) = (database.open(), database.open());
    assert_eq!(one.settle_zone("Asia/Seoul").await.unwrap(), ZoneState::Agreed);
    assert_eq!(other.settle_zone("Mars/Phobos").await.unwrap(), ZoneState::Unknown("Asia/Seoul".to_owned()));
    assert!(!other.rebuild_usage("Mars/Phobos", FORTNIGHT, |_| {}).await.unwrap());
    one.store_usage(&[record(1, 2, at("2026-03-01T00:30:00Z"))]).await.unwrap();
    assert_eq!(other.settle_zone("UTC").await.unwrap(), ZoneState::Other("Asia/Seoul".to_owned()));
    assert_eq!(one.settle_zone("Asia/Seoul").await.unwrap(), ZoneState::Agreed);
    // The zone is asked for while a writer is under way: it waits, and looks again.
    execute(&database, "DELETE FROM token_usage").await;
    execute(&database, "DELETE FROM usage_aggregates").await;
    let mut writer = database.pool.begin().await.unwrap();
    sqlx::query("SELECT name FROM usage_time_zone FOR SHARE").execute(&mut *writer).await.unwrap();
    let asking = tokio::spawn(async move { other.settle_zone("UTC").await });
    let waits = "SELECT count(*) FROM pg_locks WHERE relation = 'usage_time_zone'::regclass AND NOT granted";
    within("the question to wait", async {
        while number(&database, waits).await == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let row =
        "INSERT INTO usage_aggregates (bucket_type, bucket_start, user_id) VALUES ('day', now(), gen_random_uuid())";
    sqlx::query(row).execute(&mut *writer).await.unwrap();
    writer.commit().await.unwrap();
    let state = within("the answer", asking).await.unwrap().unwrap();
    assert_eq!(state, ZoneState::Other("Asia/Seoul".to_owned()));
}
