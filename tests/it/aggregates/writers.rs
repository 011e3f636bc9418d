//! Instances that write side by side.

use claude_code_proxy::domain::UsageRecord;
use claude_code_proxy::store::Database;
use support::{Answer, Client, KeyWish, Reply, Surroundings, TestApp, TestDatabase, within};

use super::{at, execute, number, record, sums};

/// Batches of rows for the same buckets, those of every other instance in the opposite order.
fn batches(instance: usize) -> Vec<Vec<UsageRecord>> {
    (0..20)
        .map(|_| {
            let mut batch: Vec<_> = (0..100).map(|n| record(n % 7, n % 11, at("2026-03-01T00:30:00Z"))).collect();
            if instance % 2 == 1 {
                batch.reverse();
            }
            batch
        })
        .collect()
}

async fn write(database: Database, batches: Vec<Vec<UsageRecord>>) -> u64 {
    let mut stored = 0;
    for batch in batches {
        // Of two that wait for each other in a circle, the server refuses one.
        stored += database.store_usage(&batch).await.unwrap();
    }
    database.close().await;
    stored
}

/// B-79: two instances that write the same buckets never deadlock, and no increment is lost.
#[tokio::test]
async fn two_instances_that_write_the_same_buckets_lose_nothing() {
    let database = TestDatabase::create().await;
    let written = (0..4).map(|instance| tokio::spawn(write(database.open(), batches(instance))));
    for stored in within("the writers", futures_util::future::join_all(written)).await {
        assert_eq!(stored.unwrap(), 2000);
    }
    assert_eq!(number(&database, "SELECT count(*) FROM token_usage").await, 8000);
    let requests =
        "SELECT sum(total_requests) FROM usage_aggregates WHERE bucket_type = 'day' AND access_key_id IS NULL";
    assert_eq!(number(&database, requests).await, 8000);
    assert_eq!(super::verify::differences(&database, false).await, []);
}

/// B-79: nor do two that store the same records again in opposite orders, as after a crash; each counts once.
#[tokio::test]
async fn two_instances_that_store_the_same_records_count_them_once() {
    let database = TestDatabase::create().await;
    let forwards = batches(0);
    let backwards: Vec<Vec<_>> = forwards.iter().map(|batch| batch.iter().rev().cloned().collect()).collect();
    let written = [forwards.clone(), backwards.clone(), forwards, backwards];
    let written = written.map(|batches| tokio::spawn(write(database.open(), batches)));
    let stored = within("the writers", futures_util::future::join_all(written)).await;
    assert_eq!(stored.into_iter().map(Result::unwrap).sum::<u64>(), 2000);
    assert_eq!(super::verify::differences(&database, false).await, []);
}

/// B-80: a request that the client sends again is another row, with an id of the proxy's own, and both are summed up.
#[tokio::test]
async fn a_request_that_is_sent_again_is_another_row() {
    let app = TestApp::start_in(Surroundings::start().await.with("REPORT_TIMEZONE", "Asia/Kathmandu")).await;
    let client = Client::of(&app, &app.issue(KeyWish::default()).await);
    app.plan().otherwise(|_| Reply::overloaded());
    app.bedrock().otherwise(|_| Reply::bedrock_json(&Answer::text("ok").with_id("msg_the_same")));
    for _ in 0..2 {
        // The client's own id of a request is the same when it tries again, and is no identity to us.
        let request =
            client.message(false).header("x-client-request-id", "0a1b2c3d").header("x-stainless-retry-count", "1");
        assert_eq!(support::get(request).await.status, 200);
    }
    let database = app.stop().await.database;
    let rows = "SELECT count(DISTINCT request_id) FROM token_usage WHERE upstream_message_id = 'msg_the_same'";
    assert_eq!(number(&database, rows).await, 2);
    let requests =
        "SELECT sum(total_requests) FROM usage_aggregates WHERE bucket_type = 'day' AND access_key_id IS NULL";
    assert_eq!(number(&database, requests).await, 2);
    // Days begin there at 18:15 UTC.
    let starts = "SELECT count(*) FROM usage_aggregates
                   WHERE bucket_type IN ('day', 'week', 'month') AND bucket_start::timestamptz(0) AT TIME ZONE 'UTC'
                         <> (bucket_start AT TIME ZONE 'UTC')::date + time '18:15'";
    assert_eq!(number(&database, starts).await, 0);
}

/// A database in which somebody has removed the zone stores nothing rather than rows without sums.
#[tokio::test]
async fn without_a_zone_nothing_is_stored() {
    let database = TestDatabase::create().await;
    execute(&database, "DELETE FROM usage_time_zone").await;
    let writer = database.open();
    assert!(writer.store_usage(&[record(1, 2, at("2026-03-01T00:30:00Z"))]).await.is_err());
    assert_eq!(number(&database, "SELECT count(*) FROM token_usage").await, 0);
    assert_eq!(sums(&database).await, Vec::<String>::new());
}
