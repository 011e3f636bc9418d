//! When the plan cannot serve, Bedrock does, and the client sees an ordinary answer.

use std::time::Duration;

use support::{Answer, BedrockApi, Client, KeyWish, Reply, Surroundings, TestApp, get};

const RESET: u64 = 2_000_000_000;

/// A way for the plan to fail, and the reason that the client is told.
type Failing = (fn() -> Reply, &'static str);

const FAILURES: &[Failing] = &[
    (|| Reply::plan_limited(RESET), "plan_limit"),
    (|| Reply::throttled(None), "throttled"),
    (|| Reply::throttled(Some(3)), "throttled"),
    (Reply::overloaded, "overloaded"),
    (|| Reply::plan_error(500, "api_error", "broken"), "server_error"),
    (|| Reply::new(502).with_body("<html>bad gateway</html>"), "server_error"),
    (|| Reply::new(503), "server_error"),
    (|| Reply::plan_error(504, "timeout_error", "slow"), "server_error"),
    (|| Reply::new(520), "server_error"),
    (|| Reply::new(524), "server_error"),
    (|| Reply::new(307).with_header("location", "https://elsewhere.example/"), "invalid_answer"),
    (Reply::drops_connection, "unreachable"),
];

/// B-41, B-42, B-64, B-66
#[tokio::test]
async fn every_failure_of_the_plan_falls_back() {
    for (api, (failure, reason)) in BedrockApi::BOTH.into_iter().flat_map(|api| FAILURES.iter().map(move |f| (api, f)))
    {
        // A new app for each: breakers remember.
        let app = TestApp::start_in(api.surroundings().await).await;
        let key = app.key().await;
        for stream in [false, true] {
            let client = Client::of(&app, &key);
            let answer = Answer::text("served by the second");
            app.plan().enqueue(failure());
            app.bedrock().enqueue(api.answer(&answer, stream));
            let got = get(client.message(stream)).await;
            let told = (got.status, got.header("x-ccp-provider"), got.header("x-ccp-fallback"));
            assert_eq!(told, (200, "bedrock", *reason));
            if stream {
                assert_eq!(got.events(), answer.to_events());
                assert_eq!(got.header("content-type"), "text/event-stream; charset=utf-8");
            } else {
                assert_eq!(got.body, answer.to_json());
                assert_eq!(got.header("content-type"), "application/json");
            }
            let limits = got.headers.keys().filter(|name| name.as_str().starts_with("anthropic-ratelimit"));
            assert_eq!(limits.count(), 0, "limits are the plan's, not Bedrock's");
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn a_plan_that_does_not_begin_to_answer_falls_back() {
    let around =
        Surroundings::start().await.with("FIRST_BYTE_TIMEOUT", "50ms").with("STREAM_FIRST_BYTE_TIMEOUT", "50ms");
    let app = TestApp::start_in(around).await;
    let client = Client::of(&app, &app.key().await);
    app.plan().otherwise(|_| Reply::never_answers());
    app.bedrock().enqueue(Reply::bedrock_stream(&Answer::text("in time")));
    let got = client.ask_streamed().await;
    assert_eq!((got.status, got.header("x-ccp-fallback")), (200, "first_byte_timeout"));
    app.bedrock().otherwise(|_| Reply::never_answers());
    let got = client.ask().await;
    assert_eq!(
        (got.status, got.error_type().as_str(), got.header("x-ccp-provider")),
        (504, "timeout_error", "bedrock")
    );
    app.stop().await;
}

#[tokio::test]
async fn a_plan_that_nobody_listens_for_falls_back() {
    let (_kept, free) = support::refused_address();
    let app = TestApp::start_in(Surroundings::start().await.with("PLAN_BASE_URL", format!("http://{free}"))).await;
    let client = Client::of(&app, &app.key().await);
    app.bedrock().enqueue(Reply::bedrock_json(&Answer::text("ok")));
    let got = client.ask().await;
    assert_eq!((got.status, got.header("x-ccp-fallback")), (200, "unreachable"));
    let alone = Client::of(&app, &app.issue(KeyWish::without_bedrock()).await);
    let got = alone.ask().await;
    assert_eq!((got.status, got.error_type().as_str()), (502, "api_error"));
    app.stop().await;
}

/// C12, C14: Without a Bedrock key the client sees the plan's own words, which tell it how long to wait.
#[tokio::test]
async fn without_bedrock_the_plan_has_the_last_word() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.issue(KeyWish::without_bedrock()).await);
    app.plan().enqueue(Reply::plan_limited(RESET).with_header("retry-after", "7"));
    let got = client.ask().await;
    assert_eq!((got.status, got.error_type().as_str(), got.header("retry-after")), (429, "rate_limit_error", "7"));
    assert_eq!(got.header("anthropic-ratelimit-unified-reset"), RESET.to_string());
    assert_eq!(got.header("x-ccp-provider"), "plan");
    app.plan().enqueue(Reply::new(307).with_header("location", "https://elsewhere.example/"));
    let got = client.ask().await;
    assert_eq!((got.status, got.header("location")), (502, ""), "a redirect never reaches a client");
    app.plan().enqueue(Reply::drops_connection());
    assert_eq!(client.ask().await.status, 502);
    app.stop().await;
}

/// C8, C9, B-62, B-63: what the client has to heal, or its user, is not hidden behind a second bill.
#[tokio::test]
async fn other_errors_are_the_clients_to_see() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    for (status, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
    ] {
        let reply = Reply::plan_error(status, kind, "the plan's own words");
        app.plan().enqueue(reply);
        let got = client.ask().await;
        assert_eq!((got.status, got.error_type().as_str(), got.header("x-ccp-provider")), (status, kind, "plan"));
        assert_eq!(got.json()["error"]["message"], "the plan's own words");
    }
    assert_eq!(app.bedrock().requests().len(), 0);
    app.stop().await;
}

/// B-33: what Bedrock would refuse for its size does not go there.
#[tokio::test]
async fn a_body_too_large_for_bedrock_stays_with_the_plan() {
    let around = Surroundings::start().await.with("BEDROCK_MAX_BODY_SIZE", "100B").with("MAX_BODY_SIZE", "4KiB");
    let app = TestApp::start_in(around).await;
    let key = app.key().await;
    let client = Client::of(&app, &key);
    app.plan().enqueue(Reply::plan_limited(RESET));
    let got = client.ask().await;
    assert_eq!((got.status, got.header("x-ccp-provider")), (429, "plan"));
    let got = get(client.without_login(http::Method::POST, "/v1/messages").body(client.body(false))).await;
    assert_eq!((got.status, got.error_type().as_str()), (413, "request_too_large"));
    let got = get(client.request(http::Method::POST, "/v1/messages").body(vec![b' '; 5000])).await;
    assert_eq!((got.status, got.error_type().as_str()), (413, "request_too_large"));
    let endless = futures_util::stream::iter((0..5000).map(|_| Ok::<_, std::io::Error>("x")));
    let sent =
        support::try_get(client.request(http::Method::POST, "/v1/messages").body(reqwest::Body::wrap_stream(endless)))
            .await;
    // The refusal comes while the client is still sending, and the connection may close before it has read it.
    assert!(sent.as_ref().map_or(true, |got| got.status == 413), "{sent:?}");
    assert_eq!((app.plan().requests().len(), app.bedrock().requests().len()), (1, 0));
    app.stop().await;
}

/// A body that is no JSON cannot be bridged; the plan, which was only busy, has the last word.
#[tokio::test]
async fn what_cannot_be_bridged_gets_the_plans_answer() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    app.plan().enqueue(Reply::overloaded());
    let got = get(client.request(http::Method::POST, "/v1/messages").body("{\"model\":")).await;
    assert_eq!((got.status, got.header("x-ccp-provider")), (529, "plan"));
    assert_eq!(app.bedrock().requests().len(), 0);
    app.stop().await;
}

/// A limited plan is asked over a connection that stays, not over a new one for each refusal.
#[tokio::test]
async fn refusals_do_not_cost_connections() {
    let app = TestApp::start().await;
    let key = app.key().await;
    for _ in 0..5 {
        app.plan().enqueue(Reply::plan_limited(RESET));
        app.bedrock().enqueue(Reply::bedrock_json(&Answer::text("ok")));
        // Another login each time, whose limit is not known yet.
        Client::of(&app, &key).ask().await;
        assert_eq!(app.plan().open_connections(), 1);
    }
    app.stop().await;
}

#[tokio::test]
async fn a_silent_upload_ends() {
    let app = TestApp::start_in(Surroundings::start().await.with("IDLE_TIMEOUT", "50ms")).await;
    let client = Client::of(&app, &app.key().await);
    let stalled = futures_util::stream::pending::<Result<&str, std::io::Error>>();
    let request = client.request(http::Method::POST, "/v1/messages").body(reqwest::Body::wrap_stream(stalled));
    let got = tokio::time::timeout(Duration::from_secs(5), get(request)).await.expect("an end");
    assert_eq!(got.status, 408);
    app.stop().await;
}
