//! The admin API: every operation, by the names of the OpenAPI document.

mod access;
mod audit;
mod bedrock_keys;
mod budgets;
mod capabilities;
mod circuits;
mod coverage;
mod idempotency;
mod keys;
mod lifecycle;
mod models;
mod prices;
mod propagation;
mod requests;
mod rotation;
mod secrets;
mod usage;
mod usage_csv;
mod usage_leaving;
mod usage_pages;
mod usage_zones;
mod users;
mod waits;

use support::process::ServeProcess;
use support::{Administrator, Answer, Client, IssuedKey, Reply, Surroundings, TestApp};

/// What is remembered of a key is believed for longer than any test takes, so only news can end that.
async fn surroundings() -> Surroundings {
    let around = Surroundings::start().await.administered().with("KEY_CACHE_TTL", "1h");
    around.plan.otherwise(|_| Reply::plan_json(&Answer::text("from the plan")));
    around.bedrock.otherwise(|_| Reply::bedrock_json(&Answer::text("from Bedrock")));
    around
}

/// An instance in this process, another one beside it, an administrator at the first, and clients of both that both know.
async fn two_instances() -> (TestApp, ServeProcess, Administrator, IssuedKey, [Client; 2]) {
    let first = TestApp::start_in(surroundings().await).await;
    let second = ServeProcess::start(first.around()).await;
    let key = first.key().await;
    let clients = [Client::of(&first, &key), Client::at(format!("{}/ak/{}", second.url(), key.text))];
    for client in &clients {
        assert_eq!(client.ask().await.header("x-ccp-provider"), "plan");
    }
    let admin = Administrator::at(first.url()).logged_in().await;
    (first, second, admin, key, clients)
}

async fn end(first: TestApp, second: ServeProcess) {
    second.signal(rustix::process::Signal::TERM);
    assert_eq!(second.exit_code().await, Some(0));
    first.stop().await;
}
