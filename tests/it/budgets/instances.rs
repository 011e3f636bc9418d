//! A budget is one budget, however many instances serve its user.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use rustix::process::Signal;
use support::process::ServeProcess;
use support::within;

use super::*;

/// How long an instance may not know what another has stored; README, "Budgets".
const BLIND: Duration = Duration::from_secs(5);
/// Requests that are under way at each instance.
const WORKERS: usize = 6;

/// B-85: two instances under load spend one budget. What is spent beyond it was under way when it was spent, or began
/// before the other instance could know; and then nothing is spent any more.
#[tokio::test]
async fn two_instances_under_load_spend_one_budget() {
    let around = Surroundings::start().await;
    let (first, second) = tokio::join!(ServeProcess::start(&around), ServeProcess::start(&around));
    let key = around.issue(wish(RoutingStrategy::BedrockOnly, 60)).await;
    around.bedrock.otherwise(|_| Reply::bedrock_json(&worth(1)));
    let workers = [&first, &second].into_iter().flat_map(|instance| [instance; WORKERS]).map(|instance| {
        let client = Client::at(format!("{}/ak/{}", instance.url(), key.text));
        async move {
            let mut served = 0_usize;
            let refused = loop {
                let got = client.ask().await;
                match got.status {
                    200 => served += 1,
                    _ => break got,
                }
            };
            assert_eq!(refused.error_type(), "billing_error");
            // It stays so.
            assert_eq!(client.ask().await.error_type(), "billing_error");
            served
        }
    });
    let served: usize = within("the budget to be spent", join_all(workers)).await.into_iter().sum();
    let told = "a monthly budget is nearly or wholly spent";
    for instance in [first, second] {
        let percents: Vec<_> =
            instance.lines(told, 1).await.into_iter().filter_map(|line| line["percent"].as_u64()).collect();
        assert!(percents.len() <= 2 && percents.is_sorted() && percents.iter().all(|percent| *percent >= 80));
        instance.signal(Signal::TERM);
        assert_eq!(instance.exit_code().await, Some(0));
    }
    let rows: Vec<DateTime<Utc>> =
        sqlx::query_scalar("SELECT timestamp FROM token_usage WHERE cost_usd = 1 ORDER BY timestamp")
            .fetch_all(&around.database.pool)
            .await
            .unwrap();
    assert_eq!(rows.len(), served);
    assert!(served >= 60, "nobody is refused before the budget is spent: {served}");
    // By its beginning the sixtieth was at the least under way; the last of the others began as soon as that was known.
    let blind = rows[served - 1] - rows[59];
    assert!(blind.to_std().unwrap() < BLIND, "{served} served, the last one {blind} after the budget was spent");
}

/// After a restart what was spent before counts, as soon as it is read; no request waits for that.
#[tokio::test]
async fn what_was_spent_before_a_restart_counts() {
    let app = TestApp::start().await;
    let key = app.issue(wish(RoutingStrategy::BedrockOnly, 5)).await;
    let client = Client::of(&app, &key);
    app.bedrock().enqueue(Reply::bedrock_json(&worth(5)));
    assert_eq!(client.ask().await.status, 200);
    let app = TestApp::start_in(app.stop().await).await;
    let client = Client::of(&app, &key);
    app.bedrock().otherwise(|_| Reply::bedrock_json(&worth(0)));
    let refused = within("the sum to be read", async {
        loop {
            let got = client.ask().await;
            if got.status != 200 {
                break got;
            }
        }
    })
    .await;
    assert_eq!(refused.error_type(), "billing_error");
    app.stop().await;
}
