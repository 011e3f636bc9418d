//! When the plan is not asked any more, and when it is asked again.

use support::{Answer, Client, Got, KeyWish, Reply, TestApp, get, within};
use tokio::sync::oneshot;

/// Bedrock serves whatever comes.
async fn app() -> TestApp {
    let app = TestApp::start().await;
    app.bedrock().otherwise(|_| Reply::bedrock_json(&Answer::text("from Bedrock")));
    app
}

fn fallback(got: &Got) -> String {
    assert_eq!(got.status, 200);
    got.header("x-ccp-fallback").to_owned()
}

fn of_model(client: &Client, model: &str) -> reqwest::RequestBuilder {
    client.message(false).body(client.body(false).replace("claude-opus-5-5", model))
}

/// Seconds since 1970, so far ahead.
fn in_seconds(seconds: u64) -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + seconds
}

/// B-67: three failures, and this login's requests for this family go to Bedrock at once; nobody else's do.
#[tokio::test]
async fn three_failures_open_the_circuit_of_one_login_and_family() {
    let app = app().await;
    let key = app.key().await;
    let (client, other) = (Client::of(&app, &key), Client::of(&app, &key));
    for _ in 0..3 {
        app.plan().enqueue(Reply::overloaded());
        assert_eq!(fallback(&client.ask().await), "overloaded");
    }
    assert_eq!(fallback(&client.ask().await), "circuit_open");
    assert_eq!(fallback(&client.ask().await), "circuit_open");
    app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
    assert_eq!(other.ask().await.header("x-ccp-provider"), "plan");
    app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
    assert_eq!(get(of_model(&client, "claude-haiku-5-5")).await.header("x-ccp-provider"), "plan");
    assert_eq!(app.plan().requests().len(), 5);
    app.stop().await;
}

/// B-60: a plan that is used up is not asked again before its reset, streams and whole answers alike.
#[tokio::test]
async fn a_limit_closes_the_plan_until_its_reset() {
    let app = app().await;
    let client = Client::of(&app, &app.key().await);
    app.plan().enqueue(Reply::plan_limited(in_seconds(3600)));
    assert_eq!(fallback(&client.ask().await), "plan_limit");
    assert_eq!(fallback(&client.ask().await), "circuit_open");
    app.bedrock().enqueue(Reply::bedrock_stream(&Answer::text("ok")));
    assert_eq!(fallback(&client.ask_streamed().await), "circuit_open");
    assert_eq!(app.plan().requests().len(), 1);
    app.stop().await;
}

/// B-68: after the time that the plan named, one request tries; the others do not wait for it; its success is everybody's.
#[tokio::test]
async fn one_probe_decides_about_the_return() {
    let app = app().await;
    let client = Client::of(&app, &app.key().await);
    app.plan().enqueue(Reply::throttled(Some(1)));
    assert_eq!(fallback(&client.ask().await), "throttled");
    let (release, gate) = oneshot::channel::<()>();
    app.plan().enqueue(Reply::plan_json(&Answer::text("back again")).held_until(gate));
    // Ask until one of the requests is sent to the plan, where the gate holds it.
    let mut under_way = Vec::new();
    within("the probe", async {
        while app.plan().requests().len() < 2 {
            if under_way.len() < 4 {
                under_way.push(tokio::spawn(get(client.message(false))));
            }
            tokio::task::yield_now().await;
            under_way.retain(|request: &tokio::task::JoinHandle<Got>| !request.is_finished());
        }
    })
    .await;
    for _ in 0..5 {
        assert_eq!(fallback(&client.ask().await), "circuit_open");
    }
    release.send(()).unwrap();
    let answers = within("the probe's answer", futures_util::future::join_all(under_way)).await;
    let by_the_plan =
        answers.into_iter().filter(|got| got.as_ref().unwrap().header("x-ccp-provider") == "plan").count();
    assert_eq!(by_the_plan, 1);
    app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
    assert_eq!(client.ask().await.header("x-ccp-provider"), "plan");
    app.stop().await;
}

/// With a Bedrock that is not set up right, an open circuit keeps nobody from the plan's own words.
#[tokio::test]
async fn an_open_circuit_and_a_bad_bedrock_key_lead_to_the_plan() {
    let app = app().await;
    let client = Client::of(&app, &app.key().await);
    app.bedrock().otherwise(|_| Reply::bedrock_error(403, "AccessDeniedException", "the key has expired"));
    for _ in 0..2 {
        app.plan().enqueue(Reply::plan_limited(in_seconds(3600)));
        let got = client.ask().await;
        assert_eq!((got.status, got.header("x-ccp-provider")), (429, "plan"));
    }
    let around = app.stop().await;
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM token_usage").fetch_one(&around.database.pool).await.unwrap();
    assert_eq!(rows, 0);
}

/// B-61: what one request may not have says nothing about the next.
#[tokio::test]
async fn extra_usage_and_spend_limits_open_nothing() {
    let app = app().await;
    let client = Client::of(&app, &app.key().await);
    for (message, reason) in [
        ("Extra usage is required for long context requests", "extra_usage"),
        ("Your monthly cap is reached", "spend_limit"),
    ] {
        for _ in 0..4 {
            app.plan().enqueue(Reply::plan_error(429, "rate_limit_error", message));
            assert_eq!(fallback(&client.ask().await), reason);
        }
    }
    assert_eq!(app.plan().requests().len(), 8);
    app.stop().await;
}

/// Where there is no other way, the plan is asked whatever the circuit says, and its own words reach the client.
#[tokio::test]
async fn without_bedrock_the_plan_is_always_asked() {
    let app = app().await;
    let client = Client::of(&app, &app.issue(KeyWish::without_bedrock()).await);
    for _ in 0..5 {
        app.plan().enqueue(Reply::plan_limited(in_seconds(3600)));
        assert_eq!(client.ask().await.status, 429);
    }
    app.stop().await;
}

/// A plan that fails for everybody is left alone by everybody; limits of single logins are no such failure.
#[tokio::test]
async fn a_plan_that_is_down_is_left_alone_by_all() {
    let app = app().await;
    let key = app.key().await;
    for _ in 0..25 {
        app.plan().enqueue(Reply::plan_limited(in_seconds(3600)));
        assert_eq!(fallback(&Client::of(&app, &key).ask().await), "plan_limit");
    }
    for _ in 0..25 {
        app.plan().enqueue(Reply::plan_error(500, "api_error", "down"));
        assert_eq!(fallback(&Client::of(&app, &key).ask().await), "server_error");
    }
    assert_eq!(fallback(&Client::of(&app, &key).ask().await), "circuit_open");
    app.stop().await;
}
