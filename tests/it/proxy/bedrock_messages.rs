//! Bedrock through its Messages API: what it is sent, and what becomes of everything that it may say.

use claude_code_proxy::domain::RoutingStrategy;
use http::Method;
use serde_json::json;
use support::{
    Answer, BedrockApi, Client, Got, IssuedKey, KeyWish, Reply, ServerEvent, TestApp, Usage, client, get, try_get,
    within,
};

/// An app that speaks this interface, and a client whose requests go to Bedrock at once.
async fn start(wish: KeyWish) -> (TestApp, Client, IssuedKey) {
    let app = TestApp::start_in(BedrockApi::Messages.surroundings().await).await;
    let key = app.issue(KeyWish { routing: RoutingStrategy::BedrockOnly, ..wish }).await;
    let client = Client::of(&app, &key);
    (app, client, key)
}

/// B-03, B-04, B-25, B-59: the address, the credential, the betas in a header, and a body of the Messages API.
#[tokio::test]
async fn the_request_is_one_of_the_messages_api() {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";
    for (model, stream) in [("global.anthropic.claude-opus-5-5", true), (arn, false)] {
        let (app, client, key) = start(KeyWish::for_model(model)).await;
        app.bedrock().enqueue(BedrockApi::Messages.answer(&Answer::text("ok"), stream));
        let body = json!({
            "model": "claude-opus-5-5",
            "messages": [{"role": "user", "content": client.prompt}],
            "max_tokens": 10,
            "metadata": {"user_id": r#"{"device_id":"d","account_uuid":"","session_id":"5b69f887-dc05"}"#},
            "service_tier": "auto",
            "a_field_of_tomorrow": {"kept": [1.50, "é"]},
            "stream": stream,
        });
        let request = client.request(Method::POST, "/v1/messages?beta=true");
        let betas = "claude-code-20250219,advanced-tool-use-2025-11-20,made-up-2031-01-01";
        let request = request.header("anthropic-beta", betas).header("anthropic-beta", "computer-use-2025-11-24");
        assert_eq!(get(request.body(body.to_string())).await.status, 200);
        let seen = app.bedrock().next_request().await;
        assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/anthropic/v1/messages"));
        assert_eq!(seen.header_values("x-api-key"), [key.bedrock_key.as_deref().unwrap()]);
        assert_eq!(seen.header_values("anthropic-beta"), ["tool-search-tool-2025-10-19,computer-use-2025-11-24"]);
        assert_eq!(seen.header("anthropic-version"), Some("2023-06-01"));
        assert_eq!(seen.header("content-type"), Some("application/json"));
        assert_eq!(seen.header("accept"), Some(if stream { "text/event-stream" } else { "application/json" }));
        assert_eq!(seen.header("authorization"), None);
        let all = format!("{seen:?}");
        assert!(!all.contains(&client.login) && !all.contains(&key.text));
        let expected = json!({
            "model": model,
            "messages": [{"role": "user", "content": client.prompt}],
            "max_tokens": 10,
            // B-07
            "metadata": {"user_id": "5b69f887-dc05"},
            "a_field_of_tomorrow": {"kept": [1.50, "é"]},
            "stream": stream,
        });
        assert_eq!(seen.json(), expected);
        app.stop().await;
    }
}

#[tokio::test]
async fn without_betas_there_is_no_header_of_them() {
    let (app, client, _) = start(KeyWish::default()).await;
    app.bedrock().enqueue(Reply::bedrock_messages_json(&Answer::text("ok")));
    assert_eq!(client.ask().await.status, 200);
    assert_eq!(app.bedrock().next_request().await.header("anthropic-beta"), None);
    app.stop().await;
}

/// B-51, B-52: an answer with status 200 that is none of the Messages API is not relayed, not even a part of it.
#[tokio::test]
async fn what_is_no_answer_of_this_api_is_refused() {
    let (app, client, _) = start(KeyWish::default()).await;
    let answer = Answer::text("not to be relayed");
    let refused = |got: &Got| {
        assert_eq!(
            (got.status, got.error_type().as_str(), got.header("x-ccp-provider")),
            (502, "api_error", "bedrock")
        );
        assert_eq!((got.header("content-type"), got.header("location")), ("application/json", ""));
        assert!(!String::from_utf8_lossy(&got.body).contains("relayed"), "{got:?}");
    };
    let page = || Reply::new(200).with_header("content-type", "text/html").with_body("<html>not to be relayed</html>");
    for stream in [false, true] {
        let replies = [
            Reply::bedrock_stream(&answer),
            Reply::json(200, r#"{"__type":"com.amazon.coral#UnknownOperationException","m":"not to be relayed"}"#),
            Reply::json(200, r#"{"type":"completion","text":"not to be relayed"}"#),
            page(),
            page().with_status(204),
            Reply::new(200).with_body(answer.to_json()),
            Reply::new(307).with_header("location", "https://elsewhere.example/not-to-be-relayed"),
            // The other way round than it was asked for.
            if stream { Reply::bedrock_messages_json(&answer) } else { Reply::bedrock_messages_stream(&answer) },
        ];
        for reply in replies {
            app.bedrock().enqueue(reply);
            refused(&get(client.message(stream)).await);
        }
    }
    app.stop().await;
}

/// B-72, B-73, B-74: errors in Anthropic's own shape keep their meaning, without accounts.
#[tokio::test]
async fn errors_in_anthropics_shape_keep_their_meaning() {
    let (app, client, _) = start(KeyWish::default()).await;
    for (status, kind, expected) in [
        (400, "invalid_request_error", (400, "invalid_request_error")),
        (404, "not_found_error", (404, "not_found_error")),
        (413, "request_too_large", (413, "request_too_large")),
        (429, "rate_limit_error", (429, "rate_limit_error")),
        (500, "api_error", (500, "api_error")),
        (504, "timeout_error", (504, "timeout_error")),
        (529, "overloaded_error", (529, "overloaded_error")),
    ] {
        for stream in [false, true] {
            let words = "the reason, in account 123456789012";
            // Longer than the proxy itself waits.
            let error = Reply::bedrock_messages_error(status, kind, words).with_header("retry-after", "30");
            app.bedrock().enqueue(error);
            let got = get(client.message(stream)).await;
            assert_eq!((got.status, got.error_type().as_str()), expected);
            assert_eq!(got.json()["error"]["message"], "the reason, in account [account]");
        }
    }
    // Never 401, which would make a developer log in anew.
    for (status, kind) in [(401, "authentication_error"), (403, "permission_error")] {
        app.bedrock().enqueue(Reply::bedrock_messages_error(status, kind, "invalid x-api-key"));
        let got = client.ask_streamed().await;
        assert_eq!((got.status, got.header("x-should-retry")), (502, "false"));
    }
    let words = "prompt is too long: 210000 tokens > 200000 maximum";
    app.bedrock().enqueue(Reply::bedrock_messages_error(400, "invalid_request_error", words));
    assert_eq!(client.ask().await.json()["error"]["message"], words, "the client compacts by these words");
    let throttled = Reply::bedrock_messages_error(429, "rate_limit_error", "slow down").with_header("retry-after", "7");
    app.bedrock().enqueue(throttled);
    assert_eq!(client.ask().await.header("retry-after"), "7");
    app.stop().await;
}

/// B-40, B-47: an error in mid-stream is an `error` event; in place of the first event it keeps its status.
#[tokio::test]
async fn an_error_in_the_stream_is_told_in_our_words() {
    let (app, client, _) = start(KeyWish::default()).await;
    let start = Answer::text("half an answer").to_events()[..3].to_vec();
    for (kind, (status, expected)) in [
        ("overloaded_error", (529, "overloaded_error")),
        ("rate_limit_error", (429, "rate_limit_error")),
        ("api_error", (500, "api_error")),
        ("authentication_error", (502, "api_error")),
    ] {
        let error = ServerEvent::error(kind, "arn:aws:bedrock:us-east-1:123456789012:x is busy").to_bytes();
        let begun: Vec<_> = start.iter().map(ServerEvent::to_bytes).chain([error.clone()]).collect();
        app.bedrock().enqueue(Reply::chunks(begun).as_bedrock_messages_stream());
        let got = client.ask_streamed().await;
        let events = got.events();
        let (last, before) = events.split_last().unwrap();
        assert_eq!(before, start);
        assert_eq!((last.name.as_str(), last.json()["error"]["type"].as_str()), ("error", Some(expected)));
        assert!(!String::from_utf8_lossy(&got.body).contains("123456789012"));

        // What is throttled is tried again.
        app.bedrock().otherwise(move |_| {
            Reply::chunks([ServerEvent::ping().to_bytes(), error.clone()]).as_bedrock_messages_stream()
        });
        let got = client.ask_streamed().await;
        assert_eq!((got.status, got.error_type().as_str()), (status, expected), "a ping is no first event");
    }
    app.stop().await;
}

/// B-24, B-50: events pass with their JSON byte for byte, known or not; pings are the proxy's own, comments are nobody's.
#[tokio::test]
async fn events_pass_byte_for_byte_and_pings_do_not() {
    let (app, client, _) = start(KeyWish::default()).await;
    let odd = "event: message_start\r\ndata:{\"type\": \"message_start\",\"message\":{\"usage\":{\"input_tokens\":1.0e0}}}\r\n\r\n\
        : alive\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n\
        event: of_tomorrow\nid: 7\ndata: {\"x\":1.0,\ndata:  \"y\":\"\\u00e9\"}\n\n\
        data: {\"type\":\"message_stop\"}\n\n";
    let told = "event: message_start\ndata: {\"type\": \"message_start\",\"message\":{\"usage\":{\"input_tokens\":1.0e0}}}\n\n\
        event: of_tomorrow\ndata: {\"x\":1.0,\ndata:  \"y\":\"\\u00e9\"}\n\n\
        event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    app.bedrock().enqueue(Reply::chunks([odd]).as_bedrock_messages_stream());
    assert_eq!(client.ask_streamed().await.body, told);
    app.stop().await;
}

/// Data that no client could read is not passed on as if it were an event.
#[tokio::test]
async fn a_damaged_event_is_an_error() {
    let (app, client, _) = start(KeyWish::default()).await;
    let start = Answer::text("half").to_events()[0].to_bytes();
    let damaged = "event: content_block_delta\ndata: {\"type\":\"content_block_de\n\n";
    app.bedrock()
        .enqueue(Reply::chunks([&start[..], damaged.as_bytes()].map(<[u8]>::to_vec)).as_bedrock_messages_stream());
    let events = client.ask_streamed().await.events();
    let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["message_start", "error"]);
    app.stop().await;
}

/// C4, B-49, B-53, B-81: each answer is a row with its tokens, and with how it ended.
#[tokio::test]
async fn each_answer_is_a_row() {
    let (app, client, _) = start(KeyWish::default()).await;
    let usage = Usage { input: 3, output: 550, cache_read: 40, cache_creation_5m: 304, cache_creation_1h: 12_000 };
    let answer = Answer::text("an answer").with_id("msg_bdrk_1").with_usage(usage);
    let begun: Vec<_> = answer.to_events()[..3].iter().map(ServerEvent::to_bytes).collect();
    for stream in [true, false] {
        app.bedrock().enqueue(BedrockApi::Messages.answer(&answer, stream));
        assert_eq!(get(client.message(stream)).await.status, 200);
    }
    app.bedrock().enqueue(Reply::truncated(begun.clone()).as_bedrock_messages_stream());
    assert!(try_get(client.message(true)).await.is_err());
    let failed = [begun.clone(), vec![ServerEvent::error("api_error", "no").to_bytes()]].concat();
    app.bedrock().enqueue(Reply::chunks(failed).as_bedrock_messages_stream());
    client.ask_streamed().await;
    let (reply, steps) = Reply::stepped();
    app.bedrock().enqueue(reply.as_bedrock_messages_stream());
    for event in begun {
        steps.send(event);
    }
    let mut body = within("the head", client.message(true).send()).await.unwrap().bytes_stream();
    client::next_event(&mut body).await;
    drop(body);
    within("Bedrock to be let go", steps.closed()).await;
    // What was refused is none.
    app.bedrock().enqueue(Reply::bedrock_messages_error(529, "overloaded_error", "busy"));
    assert_eq!(client.ask().await.status, 529);
    // What broke off may have been counted.
    let broken = Reply::truncated([answer.to_json()]).with_header("content-type", "application/json");
    app.bedrock().enqueue(broken);
    assert_eq!(client.ask().await.status, 502);

    let around = app.stop().await;
    let rows: Vec<(String, Option<String>, Vec<i32>)> = sqlx::query_as(
        "SELECT outcome, upstream_message_id, ARRAY[input_tokens, output_tokens, cache_read_input_tokens,
                cache_creation_5m_tokens, cache_creation_1h_tokens] FROM token_usage ORDER BY timestamp",
    )
    .fetch_all(&around.database.pool)
    .await
    .unwrap();
    let id = Some("msg_bdrk_1".to_owned());
    let asked = client.body(false).bytes().filter(|byte| *byte != b'"').count().div_ceil(4);
    let asked = i32::try_from(asked).unwrap();
    let row = |outcome: &str, output| (outcome.to_owned(), id.clone(), vec![3, output, 40, 304, 12_000]);
    let expected = [
        row("completed", 550),
        row("completed", 550),
        row("truncated", 1),
        row("failed", 1),
        row("cancelled", 1),
        ("failed".to_owned(), None, vec![asked, 0, 0, 0, 0]),
    ];
    assert_eq!(rows, expected);
}

/// A connection is used again after a stream, an error and an answer that was refused for its words alone.
#[tokio::test]
async fn connections_are_used_again() {
    let (app, client, _) = start(KeyWish::default()).await;
    let replies = [
        Reply::bedrock_messages_stream(&Answer::text("ok")),
        Reply::bedrock_messages_error(529, "overloaded_error", "busy"),
        Reply::json(200, r#"{"__type":"UnknownOperationException"}"#),
    ];
    for reply in replies {
        app.bedrock().enqueue(reply);
        client.ask_streamed().await;
        assert_eq!(app.bedrock().open_connections(), 1);
    }
    app.stop().await;
}

#[tokio::test]
async fn a_bedrock_that_does_not_answer_or_is_not_there_is_told_apart() {
    let around = BedrockApi::Messages.surroundings().await;
    let around = around.with("STREAM_FIRST_BYTE_TIMEOUT", "50ms").with("FIRST_BYTE_TIMEOUT", "50ms");
    let app = TestApp::start_in(around).await;
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
    for stream in [false, true] {
        app.bedrock().enqueue(Reply::never_answers());
        let got = get(client.message(stream)).await;
        assert_eq!((got.status, got.error_type().as_str()), (504, "timeout_error"));
        app.bedrock().enqueue(Reply::drops_connection());
        let got = get(client.message(stream)).await;
        assert_eq!((got.status, got.error_type().as_str()), (502, "api_error"));
    }
    app.stop().await;
    let (_kept, free) = support::refused_address();
    let around = BedrockApi::Messages.surroundings().await.with("BEDROCK_ENDPOINT_URL", format!("http://{free}"));
    let app = TestApp::start_in(around).await;
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
    let got = client.ask_streamed().await;
    assert_eq!((got.status, got.json()["error"]["message"].as_str()), (502, Some("Bedrock could not be reached.")));
    app.stop().await;
}
