//! What the proxy takes on at a time: requests in flight, and requests of one key in a minute.

use futures_util::StreamExt as _;
use reqwest::Method;
use support::{
    Answer, Client, Got, Reply, ServerEvent, Steps, Surroundings, TestApp, frames, get, http_client, within,
};

async fn app_with(name: &str, value: &str) -> TestApp {
    TestApp::start_in(Surroundings::start().await.with(name, value)).await
}

/// A stream of the plan that has begun, and its body.
async fn begun_stream(
    app: &TestApp,
    client: &Client,
) -> (Steps, impl futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + use<>) {
    let (reply, steps) = Reply::stepped();
    app.plan().enqueue(reply.as_plan_stream());
    steps.send(ServerEvent::ping().to_bytes());
    let mut body = Box::pin(within("the head", client.message(true).send()).await.unwrap().bytes_stream());
    within("an event", body.next()).await.unwrap().unwrap();
    (steps, body)
}

fn assert_overloaded(got: &Got) {
    assert_eq!((got.status, got.error_type().as_str(), got.header("retry-after")), (529, "overloaded_error", "1"));
    assert!(!got.header("x-ccp-request-id").is_empty() && got.header("x-ccp-provider").is_empty());
}

/// Asks until the app has noticed that a place is free, which happens a moment after the client has seen the end.
async fn until_served(client: &Client) -> Got {
    within("a free place", async {
        loop {
            let got = client.ask().await;
            if got.status != 529 {
                return got;
            }
        }
    })
    .await
}

/// A stream counts until its end, or until its client leaves; more than fit are refused, whatever they ask for.
#[tokio::test]
async fn requests_beyond_the_cap_are_refused_until_a_stream_has_ended() {
    let app = app_with("MAX_IN_FLIGHT", "2").await;
    let client = Client::of(&app, &app.key().await);
    app.plan().otherwise(|_| Reply::plan_json(&Answer::text("ok")));
    let (first, first_body) = begun_stream(&app, &client).await;
    let (second, second_body) = begun_stream(&app, &client).await;
    let asked = app.plan().requests().len();
    assert_overloaded(&client.ask().await);
    assert_overloaded(&get(client.request(Method::GET, "/v1/models")).await);
    assert_eq!(app.plan().requests().len(), asked, "nobody upstream was bothered");
    for path in ["/health", "/ready"] {
        assert_eq!(get(http_client().get(format!("{}{path}", app.url()))).await.status, 200, "{path} is never refused");
    }

    first.finish();
    within("the rest", first_body.collect::<Vec<_>>()).await;
    assert_eq!(until_served(&client).await.status, 200);
    let (third, third_body) = begun_stream(&app, &client).await;
    assert_overloaded(&client.ask().await);
    drop(second_body);
    within("the plan to be let go", second.closed()).await;
    assert_eq!(until_served(&client).await.status, 200);
    third.finish();
    within("the rest", third_body.collect::<Vec<_>>()).await;
    app.stop().await;
}

/// A request that waits for its answer counts, one that was refused or has failed does not.
#[tokio::test]
async fn waiting_counts_and_refusals_do_not() {
    let app = app_with("MAX_IN_FLIGHT", "1").await;
    let client = Client::of(&app, &app.key().await);
    let stranger = Client::at(format!("{}/ak/ak_nobody", app.url()));
    for _ in 0..3 {
        assert_eq!(stranger.ask().await.status, 403);
    }
    let (open, gate) = tokio::sync::oneshot::channel::<()>();
    app.plan().enqueue(Reply::overloaded());
    app.bedrock().enqueue(Reply::bedrock_json(&Answer::text("ok")).held_until(gate));
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.ask().await }
    });
    app.bedrock().next_request().await;
    assert_overloaded(&client.ask().await);
    open.send(()).unwrap();
    assert_eq!(within("the answer", waiting).await.unwrap().status, 200);
    app.plan().enqueue(Reply::overloaded());
    app.bedrock().enqueue(Reply::chunks(frames::bedrock_stream(&Answer::text("ok"))).as_bedrock_stream());
    let got = within("a free place", async {
        loop {
            let got = client.ask_streamed().await;
            if got.status != 529 {
                return got;
            }
        }
    })
    .await;
    assert_eq!(got.status, 200);
    app.stop().await;
}

/// The refusal arrives even while a large body is being sent, of which nothing is read.
#[tokio::test]
async fn a_large_request_is_refused_before_its_body_is_read() {
    let app = app_with("MAX_IN_FLIGHT", "1").await;
    let client = Client::of(&app, &app.key().await);
    let (steps, body) = begun_stream(&app, &client).await;
    for _ in 0..5 {
        let large = client.request(Method::POST, "/v1/messages").body(vec![b'x'; 8 << 20]);
        assert_overloaded(&get(large).await);
    }
    steps.finish();
    within("the rest", body.collect::<Vec<_>>()).await;
    app.stop().await;
}

/// A key's messages are limited by the minute; nothing else is, and no other key.
#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let app = app_with("KEY_REQUESTS_PER_MINUTE", "3").await;
    let (client, other) = (Client::of(&app, &app.key().await), Client::of(&app, &app.key().await));
    app.plan().otherwise(|_| Reply::plan_json(&Answer::text("ok")));
    for streamed in [false, true, false] {
        assert_eq!(get(client.message(streamed)).await.status, 200);
    }
    let asked = app.plan().requests().len();
    let refused = client.ask().await;
    assert_eq!((refused.status, refused.error_type().as_str()), (429, "rate_limit_error"));
    // A third of a minute after the first of the three, in whole seconds.
    let seconds: u32 = refused.header("retry-after").parse().unwrap();
    assert!((10..=20).contains(&seconds), "{seconds}");
    assert!(refused.header("x-ccp-provider").is_empty() && !refused.header("x-ccp-request-id").is_empty());
    assert_eq!(app.plan().requests().len(), asked, "nobody upstream was bothered");
    assert_eq!(other.ask().await.status, 200);
    app.stop().await;
}

/// Claude Code's `/context` counts tokens 25 times at once, which no limit may answer.
#[tokio::test]
async fn counting_tokens_is_never_limited() {
    let app = app_with("KEY_REQUESTS_PER_MINUTE", "1").await;
    let client = Client::of(&app, &app.key().await);
    app.plan().otherwise(|_| Reply::json(200, r#"{"input_tokens":7}"#));
    let counts = (0..25).map(|_| async {
        let request = client.request(Method::POST, "/v1/messages/count_tokens?beta=true").body(client.body(false));
        assert_eq!(get(request).await.status, 200);
    });
    futures_util::future::join_all(counts).await;
    assert_eq!(get(client.request(Method::GET, "/v1/models")).await.status, 200);
    assert_eq!(client.ask().await.status, 200);
    assert_eq!(client.ask().await.status, 429);
    app.stop().await;
}
