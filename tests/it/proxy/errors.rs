//! What the client is told when Bedrock does not serve either, and what the proxy says of itself.

use claude_code_proxy::domain::RoutingStrategy;
use http::Method;
use support::{Answer, Client, KeyWish, Reply, Surroundings, TestApp, get};

/// B-44, B-73: each error of Bedrock in the words of the Messages API.
#[tokio::test]
async fn errors_of_bedrock_are_translated() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
    for (status, kind, expected) in [
        (429, "ThrottlingException", (429, "rate_limit_error")),
        (503, "ServiceUnavailableException", (529, "overloaded_error")),
        (429, "ModelNotReadyException", (529, "overloaded_error")),
        (408, "ModelTimeoutException", (504, "timeout_error")),
        (424, "ModelErrorException", (500, "api_error")),
        (500, "InternalServerException", (500, "api_error")),
        (404, "ResourceNotFoundException", (404, "not_found_error")),
        (400, "ValidationException", (400, "invalid_request_error")),
        (403, "AccessDeniedException", (502, "api_error")),
    ] {
        for stream in [false, true] {
            app.bedrock().enqueue(Reply::bedrock_error(status, kind, "the reason"));
            let got = get(client.message(stream)).await;
            assert_eq!((got.status, got.error_type().as_str()), expected, "{kind}");
            assert_eq!((got.header("x-ccp-provider"), got.header("x-ccp-fallback")), ("bedrock", ""));
            assert_eq!(got.json()["type"], "error");
        }
    }
    app.stop().await;
}

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
        app.bedrock().enqueue(Reply::bedrock_error(status, kind, "no"));
        let got = client.ask().await;
        assert_eq!((got.status, got.header("x-ccp-provider")), expected, "{kind}");
        app.stop().await;
    }
}

/// B-35, B-39: thinking is sent as it is, and nothing is stripped behind the client's back: where Bedrock refuses a
/// signature, the client hears it in Bedrock's words, after exactly one call, and heals itself.
#[tokio::test]
async fn a_refused_signature_is_the_clients_to_hear() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
    let words = "messages.1.content.0: Invalid `signature` in `thinking` block";
    app.bedrock().enqueue(Reply::bedrock_error(400, "ValidationException", words));
    let thinking = r#"{"type":"thinking","thinking":"","signature":"c2ln\/bmF0dXJl"}"#;
    let body = format!(r#"{{"max_tokens":9,"messages":[{{"role":"assistant","content":[{thinking}]}}]}}"#);
    let got = get(client.request(Method::POST, "/v1/messages").body(body)).await;
    assert_eq!((got.status, got.json()["error"]["message"].as_str()), (400, Some(words)));
    assert!(app.bedrock().requests()[0].body.windows(thinking.len()).any(|part| part == thinking.as_bytes()));
    assert_eq!(app.bedrock().requests().len(), 1);
    app.stop().await;
}

/// B-51: AWS answers some mistakes with 200.
#[tokio::test]
async fn a_whole_answer_that_is_no_message_is_an_error() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
    for body in [r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#, "", "<html>", "[]"] {
        app.bedrock().enqueue(Reply::json(200, body));
        let got = client.ask().await;
        assert_eq!((got.status, got.error_type().as_str()), (502, "api_error"), "{body}");
    }
    app.stop().await;
}

/// C7, B-65, B-72, B-74
#[tokio::test]
async fn the_words_help_the_client_and_tell_no_account() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
    let asked = async |reply: Reply| {
        app.bedrock().enqueue(reply);
        client.ask().await
    };
    let message = |got: &support::Got| got.json()["error"]["message"].as_str().unwrap().to_owned();

    let got = asked(Reply::bedrock_error(400, "ValidationException", "Input is too long for requested model.")).await;
    assert!(message(&got).starts_with("capability_rejected: prompt_too_long"), "{got:?}");

    let got = asked(
        Reply::bedrock_error(429, "ThrottlingException", "Too many tokens, please wait")
            .with_header("retry-after", "3600"),
    )
    .await;
    assert_eq!(got.header("retry-after"), "60", "more would make Claude Code give up");

    let text = "User: arn:aws:iam::123456789012:user/bedrock is not authorized in 123456789012";
    let got = asked(Reply::bedrock_error(400, "ValidationException", text)).await;
    assert!(!message(&got).contains("123456789012") && !message(&got).contains("arn:"), "{got:?}");

    // B-62 the other way round: never 401, and no retry of what will fail again.
    let got = asked(Reply::bedrock_error(403, "AccessDeniedException", "Authentication failed")).await;
    assert_eq!((got.status, got.header("x-should-retry")), (502, "false"));
    app.stop().await;
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
