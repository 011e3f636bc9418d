//! What the client is told when Bedrock does not serve either, and what the proxy says of itself.

use claude_code_proxy::domain::RoutingStrategy;
use http::Method;
use support::{Answer, BedrockApi, Client, KeyWish, Reply, Surroundings, TestApp, get};

/// In place of a plan that is busy for the moment, Bedrock's passing errors are told; what an administrator has to mend
/// is not, because the plan may be back before that.
#[tokio::test]
async fn a_bedrock_key_that_does_not_work_leaves_the_plan_the_word() {
    for (status, kind, expected) in [
        (403, "AccessDeniedException", (529, "plan")),
        (404, "ResourceNotFoundException", (529, "plan")),
        (429, "ThrottlingException", (429, "bedrock")),
    ] {
        let app = TestApp::start().await;
        let client = Client::of(&app, &app.key().await);
        app.plan().enqueue(Reply::overloaded());
        // Too long a wait for the proxy to try again.
        app.bedrock().enqueue(Reply::bedrock_error(status, kind, "no").with_header("retry-after", "30"));
        let got = client.ask().await;
        assert_eq!((got.status, got.header("x-ccp-provider")), expected, "{kind}");
        app.stop().await;
    }
}

/// B-51: AWS answers some mistakes with 200.
#[tokio::test]
async fn a_whole_answer_that_is_no_message_is_an_error() {
    for api in BedrockApi::BOTH {
        let app = TestApp::start_in(api.surroundings().await).await;
        let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
        for body in [r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#, "", "<html>", "[]"] {
            app.bedrock().enqueue(Reply::json(200, body));
            let got = client.ask().await;
            assert_eq!((got.status, got.error_type().as_str()), (502, "api_error"), "{body}");
            assert!(!String::from_utf8_lossy(&got.body).contains("coral"), "nothing of it is relayed");
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_get_an_error_in_the_right_shape() {
    let app = TestApp::start().await;
    let client = Client::at(app.url());
    for (method, path, status, kind) in [
        (Method::GET, "/", 404, "not_found_error"),
        (Method::GET, "/favicon.ico", 404, "not_found_error"),
        (Method::POST, "/ak/x/v2/messages", 404, "not_found_error"),
        (Method::DELETE, "/health", 405, "invalid_request_error"),
    ] {
        let got = get(client.without_login(method, path)).await;
        assert_eq!((got.status, got.error_type().as_str()), (status, kind), "{path}");
        assert!(uuid::Uuid::parse_str(got.header("x-ccp-request-id")).is_ok());
    }
    app.stop().await;
}

#[tokio::test]
async fn health_and_readiness_are_open() {
    let app = TestApp::start().await;
    let client = Client::at(app.url());
    let got = get(client.without_login(Method::GET, "/health")).await;
    assert_eq!((got.status, got.body.as_ref()), (200, br#"{"status":"healthy"}"#.as_slice()));
    let got = get(client.without_login(Method::GET, "/ready")).await;
    assert_eq!(
        (got.status, got.json()["ready"].as_bool(), got.json()["database"].as_str()),
        (200, Some(true), Some("ready"))
    );
    app.stop().await;
}

/// B-83: The process starts, listens and says so while there is no database at all.
#[tokio::test]
async fn without_a_database_the_proxy_starts_and_is_not_ready() {
    let (_kept, free) = support::refused_address();
    let around = Surroundings::start().await.with("DATABASE_URL", format!("postgres://nobody@{free}/none"));
    let app = TestApp::start_in(around).await;
    let client = Client::at(app.url());
    assert_eq!(get(client.without_login(Method::GET, "/health")).await.status, 200);
    assert_eq!(get(client.without_login(Method::GET, "/ready")).await.status, 503);
    app.stop().await;
}

/// An error is the answer to one request; the connection and the key serve on.
#[tokio::test]
async fn after_an_error_the_same_connection_serves_on() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    for _ in 0..3 {
        app.plan().enqueue(Reply::plan_error(400, "invalid_request_error", "no"));
        assert_eq!(client.ask().await.status, 400);
        app.plan().enqueue(Reply::plan_json(&Answer::text("yes")));
        assert_eq!(client.ask().await.status, 200);
    }
    app.stop().await;
}
