//! What one task is told of a plan's limit, the others know soon, and no request waits for it.

use support::process::ServeProcess;
use support::{Answer, Client, Reply, TestApp, within};

/// Two instances on one database: the second leaves the plan alone because of what the first was told.
#[tokio::test]
async fn a_limit_is_known_to_the_other_instance() {
    let first = TestApp::start().await;
    let second = ServeProcess::start(first.around()).await;
    let key = first.key().await;
    let of_first = Client::of(&first, &key);
    let mut of_second = Client::at(format!("{}/ak/{}", second.url(), key.text));
    of_second.login.clone_from(&of_first.login);
    first.bedrock().otherwise(|_| Reply::bedrock_json(&Answer::text("from Bedrock")));
    first.plan().enqueue(Reply::plan_limited(4_000_000_000));
    first.plan().otherwise(|_| Reply::plan_json(&Answer::text("from the plan")));
    assert_eq!(of_first.ask().await.header("x-ccp-fallback"), "plan_limit");
    within("the second instance to know", async {
        while of_second.ask().await.header("x-ccp-fallback") != "circuit_open" {}
    })
    .await;
    let stranger = Client::at(format!("{}/ak/{}", second.url(), key.text));
    assert_eq!(stranger.ask().await.header("x-ccp-provider"), "plan", "another login has its own limits");
    let stored: Vec<String> = sqlx::query_scalar("SELECT credential_hash || family FROM plan_limits")
        .fetch_all(&first.around().database.pool)
        .await
        .unwrap();
    assert!(stored.len() == 1 && stored[0].ends_with("opus") && !stored[0].contains(&of_first.login));
    second.signal(rustix::process::Signal::TERM);
    assert_eq!(second.exit_code().await, Some(0));
    first.stop().await;
}

/// The database may be away: a limit closes the plan here all the same.
#[tokio::test]
async fn without_the_database_a_limit_holds_here() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
    client.ask().await;
    app.around().database.take_away().await;
    app.bedrock().otherwise(|_| Reply::bedrock_json(&Answer::text("ok")));
    app.plan().enqueue(Reply::plan_limited(4_000_000_000));
    assert_eq!(client.ask().await.header("x-ccp-fallback"), "plan_limit");
    assert_eq!(client.ask().await.header("x-ccp-fallback"), "circuit_open");
    app.around().database.bring_back().await;
    app.stop().await;
}
