//! Who may use the admin API, and for how long.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use support::administrator::{ADMINISTRATOR, password};
use support::{Administrator, Surroundings, TestApp, get, http_client, within};

#[tokio::test]
async fn a_login_works_until_it_is_given_back() {
    let (app, admin) = Administrator::with_app().await;
    assert_eq!(admin.call("list_users").ok().await["total"], 0);
    admin.call("delete_session").ok().await;
    let error = admin.call("list_users").refused(401).await;
    assert_eq!(error["code"], "unauthenticated");
    let stranger = Administrator::at(app.url());
    let got = stranger.call("list_users").send().await;
    assert_eq!((got.status, got.header("www-authenticate")), (401, "Bearer realm=\"admin\""));
    app.stop().await;
}

#[tokio::test]
async fn after_five_failures_the_next_attempt_waits() {
    let app = TestApp::start_in(Surroundings::start().await.administered()).await;
    let admin = Administrator::at(app.url());
    for _ in 0..5 {
        let error = admin.call("create_session").basic(ADMINISTRATOR, "wrong").refused(401).await;
        assert_eq!(error["code"], "wrong_login");
    }
    let got = admin.call("create_session").basic(ADMINISTRATOR, password()).send().await;
    let seconds: u64 = got.header("retry-after").parse().unwrap();
    assert!(got.status == 429 && (1..=60).contains(&seconds), "{got:?}");
    app.stop().await;
}

#[tokio::test]
async fn without_an_administrator_nobody_logs_in() {
    let app = TestApp::start().await;
    let error = Administrator::at(app.url()).call("create_session").basic("admin", "admin").refused(503).await;
    assert_eq!(error["code"], "no_administrator");
    app.stop().await;
}

/// What a client writes into `X-Forwarded-For` itself is believed only from a trusted load balancer, and only its last word.
#[tokio::test]
async fn only_allowed_networks_are_let_in() {
    let around = Surroundings::start().await.administered().with("ADMIN_ALLOWED_CIDRS", "192.0.2.0/24,::1/128");
    let app = TestApp::start_in(around.with("TRUSTED_PROXIES", "127.0.0.0/8")).await;
    let admin = Administrator::at(app.url());
    for (forwarded, status) in
        [("192.0.2.7", 200), ("198.51.100.1", 403), ("192.0.2.7, 198.51.100.1", 403), ("198.51.100.1, 192.0.2.7", 200)]
    {
        let login = admin.call("create_session").basic(ADMINISTRATOR, password()).header("x-forwarded-for", forwarded);
        assert_eq!(login.send().await.status, status, "{forwarded}");
    }
    // The page with the documentation is behind the same door.
    assert_eq!(get(http_client().get(format!("{}/admin/docs/", app.url()))).await.status, 403);
    app.stop().await;
    let around = Surroundings::start().await.administered().with("ADMIN_ALLOWED_CIDRS", "192.0.2.0/24");
    let app = TestApp::start_in(around).await;
    let login = Administrator::at(app.url()).call("create_session").basic(ADMINISTRATOR, password());
    assert_eq!(login.header("x-forwarded-for", "192.0.2.7").send().await.status, 403, "nobody is trusted");
    app.stop().await;
    // A proxy on the same machine has an address that is allowed, and speaks for anybody.
    let (app, admin) = Administrator::with_app().await;
    let error = admin.call("list_users").header("x-forwarded-for", "127.0.0.1").refused(403).await;
    assert!(error["message"].as_str().unwrap().contains("TRUSTED_PROXIES"), "{error}");
    app.stop().await;
}

/// What the framework refuses itself is told in the same shape.
#[tokio::test]
async fn every_error_has_the_same_shape() {
    let (app, admin) = Administrator::with_app().await;
    let call = |method: Method, path: &str| {
        http_client().request(method, format!("{}{path}", app.url())).bearer_auth(admin.token())
    };
    for (request, status, code) in [
        (call(Method::GET, "/admin/nothing"), 404, "no_such_path"),
        (call(Method::PUT, "/admin/users"), 405, "method"),
        (call(Method::POST, "/admin/users").body("{}").header("content-type", "text/plain"), 415, "media_type"),
        (call(Method::POST, "/admin/users").body("{").header("content-type", "application/json"), 400, "malformed"),
        (call(Method::POST, "/admin/users").body("x".repeat(2 << 20)), 413, "too_large"),
        (http_client().get(format!("{}/admin/users", app.url())).bearer_auth("x"), 401, "unauthenticated"),
    ] {
        let got = get(request).await;
        let error = got.json()["error"].take();
        assert_eq!((got.status, &error["code"]), (status, &json!(code)), "{got:?}");
        assert_eq!(error["request_id"], got.header("x-ccp-request-id"));
    }
    app.stop().await;
}

/// While the database is away operations say so, and nothing else.
#[tokio::test]
async fn without_the_database_operations_say_so() {
    let (app, admin) = Administrator::with_app().await;
    app.around().database.take_away().await;
    let got = within("an answer", admin.call("list_users").send()).await;
    assert_eq!((got.status, &got.json()["error"]["code"]), (503, &json!("database_away")));
    assert!(
        got.header("retry-after").parse::<u64>().is_ok_and(|seconds| Duration::from_secs(seconds) < support::PATIENCE)
    );
    app.around().database.bring_back().await;
    app.stop().await;
}
