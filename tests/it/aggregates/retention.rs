//! Sums by the minute go when their time is over, and nothing else does.

use std::time::Duration;

use support::{Surroundings, TestApp, TestDatabase, within};

use super::{execute, number, two_months};

const OLD_MINUTES: &str =
    "SELECT count(*) FROM usage_aggregates WHERE bucket_type = 'minute' AND bucket_start < now() - interval '3 days'";

/// The proxy removes them in the background, and leaves the younger ones and all longer buckets.
#[tokio::test]
async fn old_minutes_are_removed() {
    let around = Surroundings::start().await.with("MINUTE_AGGREGATES_KEPT", "3d");
    around.database.open().store_usage(&two_months()).await.unwrap();
    let others = "SELECT count(*) FROM usage_aggregates
                   WHERE bucket_type <> 'minute' OR bucket_start >= now() - interval '3 days'";
    let before = number(&around.database, others).await;
    assert!(number(&around.database, OLD_MINUTES).await > 100);
    let one = TestApp::start_in(around).await;
    within("old minutes to go", async {
        while number(&one.around().database, OLD_MINUTES).await > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let around = one.stop().await;
    assert_eq!(number(&around.database, others).await, before);
}

/// In batches, by one at a time, and without waiting for rows that are being written.
#[tokio::test]
async fn removal_is_bounded_and_waits_for_nobody() {
    let database = TestDatabase::create().await;
    let kept = Duration::from_hours(72);
    let caretaker = database.open();
    caretaker.store_usage(&two_months()).await.unwrap();
    let old = number(&database, OLD_MINUTES).await;
    assert_eq!(caretaker.delete_old_minutes(kept, 100).await.unwrap(), Some(100));
    assert_eq!(number(&database, OLD_MINUTES).await, old - 100);

    // A writer holds a row.
    let mut writer = database.pool.begin().await.unwrap();
    let held = "UPDATE usage_aggregates SET total_requests = total_requests WHERE id =
                    (SELECT id FROM usage_aggregates WHERE bucket_type = 'minute' ORDER BY bucket_start LIMIT 1)";
    sqlx::query(held).execute(&mut *writer).await.unwrap();
    let deleted = within("the removal", caretaker.delete_old_minutes(kept, 100_000)).await.unwrap();
    assert_eq!(deleted, Some(u64::try_from(old - 101).unwrap()));
    writer.rollback().await.unwrap();
    assert_eq!(number(&database, OLD_MINUTES).await, 1);

    // Another instance is at it.
    let mut other = database.pool.begin().await.unwrap();
    let locks = "SELECT pg_advisory_xact_lock(7161691387710500211)";
    sqlx::query(locks).execute(&mut *other).await.unwrap();
    assert_eq!(within("the removal", caretaker.delete_old_minutes(kept, 100)).await.unwrap(), None);
    other.rollback().await.unwrap();
    assert_eq!(caretaker.delete_old_minutes(kept, 100).await.unwrap(), Some(1));
    assert_eq!(
        execute(
            &database,
            "DELETE FROM usage_aggregates WHERE bucket_type = 'minute' AND bucket_start < now() - interval '73 hours'"
        )
        .await,
        0
    );
}
