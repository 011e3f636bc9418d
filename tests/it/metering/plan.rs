//! With `METER_PLAN` the plan's usage is stored as well, and its answers pass as they come.

use std::io::Write as _;

use support::IssuedKey;

use super::*;

const MODEL: &str = "claude-opus-5-5-20260901";

async fn metering_app() -> (TestApp, Client, IssuedKey) {
    let app = TestApp::start_in(Surroundings::start().await.with("METER_PLAN", "true")).await;
    let key = app.key().await;
    let client = Client::of(&app, &key);
    (app, client, key)
}

fn of_plan() -> Answer {
    Answer::text("Grüße an alle").with_id("msg_of_plan").with_model(MODEL).with_usage(USAGE)
}

fn packed(text: &str, coding: &str) -> Vec<u8> {
    let mut packed = Vec::new();
    match coding {
        "gzip" => flate2::write::GzEncoder::new(&mut packed, flate2::Compression::default()).write_all(text.as_bytes()),
        "deflate" => {
            flate2::write::ZlibEncoder::new(&mut packed, flate2::Compression::default()).write_all(text.as_bytes())
        }
        "br" => brotli::CompressorWriter::new(&mut packed, 4096, 5, 22).write_all(text.as_bytes()),
        "zstd" => zstd::stream::copy_encode(text.as_bytes(), &mut packed, 3),
        _ => packed.write_all(text.as_bytes()),
    }
    .unwrap();
    packed
}

/// B-80, B-81: each message is a row with everything that its answer names, streamed and whole.
#[tokio::test]
async fn every_answer_of_the_plan_is_a_row_with_its_exact_tokens() {
    let (app, client, key) = metering_app().await;
    let mut request_ids = Vec::new();
    for stream in [true, false] {
        let (reply, expected) = if stream {
            (
                Reply::plan_stream(&of_plan()),
                of_plan().to_events().iter().flat_map(support::ServerEvent::to_bytes).collect(),
            )
        } else {
            (Reply::plan_json(&of_plan()), of_plan().to_json().into_bytes())
        };
        app.plan().enqueue(reply);
        let request = client
            .message(stream)
            .header("x-claude-code-session-id", "session-1")
            .header("x-claude-code-agent-id", "agent-1");
        let got = get(request).await;
        assert!(got.body == expected, "the bytes of the plan");
        request_ids.push(got.header("x-ccp-request-id").to_owned());
    }
    let around = app.stop().await;
    let rows = rows(&around.database).await;
    assert_eq!(rows.len(), 2);
    for (row, request_id) in rows.into_iter().zip(request_ids) {
        assert!(row.latency_ms >= row.time_to_first_token_ms.unwrap());
        let expected = Row {
            request_id,
            user_id: key.user_id,
            access_key_id: key.id,
            model: "claude-opus-5-5".to_owned(),
            upstream_model: MODEL.to_owned(),
            upstream_message_id: Some("msg_of_plan".to_owned()),
            input_tokens: 3,
            output_tokens: 550,
            cache_read_input_tokens: 40,
            cache_creation_input_tokens: 12_304,
            cache_creation_5m_tokens: 304,
            cache_creation_1h_tokens: 12_000,
            total_tokens: 12_897,
            provider: "plan".to_owned(),
            is_fallback: false,
            outcome: "completed".to_owned(),
            session_id: Some("session-1".to_owned()),
            agent_id: Some("agent-1".to_owned()),
            latency_ms: row.latency_ms,
            time_to_first_token_ms: row.time_to_first_token_ms,
            estimated: false,
        };
        assert_eq!(row, expected);
    }
    let of_plan = "SELECT sum(total_tokens)::bigint FROM usage_aggregates
                    WHERE provider = 'plan' AND bucket_type = 'month' AND access_key_id IS NULL";
    assert_eq!(number(&around.database, of_plan).await, 2 * 12_897);
}

/// What is compressed passes as it is and is counted from a copy; a coding that nobody knows passes as well.
#[tokio::test]
async fn compressed_answers_pass_as_they_are_and_are_counted() {
    let (app, client, _) = metering_app().await;
    let codings = ["gzip", "deflate", "br", "zstd", "of-tomorrow"];
    for coding in codings {
        let body = packed(&of_plan().to_json(), coding);
        let whole = Reply::plan_json(&of_plan()).with_body(body.clone());
        let in_pieces =
            Reply::chunks(body.chunks(5).map(<[u8]>::to_vec)).with_header("content-type", "application/json");
        for reply in [whole, in_pieces] {
            app.plan().enqueue(reply.with_header("content-encoding", coding));
            let got = get(client.message(false).header("accept-encoding", "gzip, deflate, br, zstd")).await;
            assert_eq!((&got.body[..], got.header("content-encoding")), (&body[..], coding));
        }
    }
    let asked_for =
        |request: &support::RecordedRequest| request.header("accept-encoding") == Some("gzip, deflate, br, zstd");
    assert!(app.plan().requests().iter().all(asked_for));
    // Streams are asked for uncompressed; one that is compressed all the same is read, too.
    let events: String =
        of_plan().to_events().iter().map(|event| String::from_utf8(event.to_bytes().to_vec()).unwrap()).collect();
    let body = packed(&events, "gzip");
    app.plan().enqueue(Reply::chunks([body.clone()]).as_plan_stream().with_header("content-encoding", "gzip"));
    assert_eq!(client.ask_streamed().await.body, body);
    let around = app.stop().await;
    let rows = rows(&around.database).await;
    assert_eq!(rows.len(), 2 * codings.len() + 1);
    for (index, row) in rows.iter().enumerate() {
        let is_readable = codings.get(index / 2) != Some(&"of-tomorrow");
        let model = if is_readable { MODEL } else { "claude-opus-5-5" };
        assert_eq!(
            (row.total_tokens, row.estimated, row.upstream_model.as_str()),
            (if is_readable { 12_897 } else { 0 }, !is_readable, model)
        );
        assert_eq!((row.provider.as_str(), row.outcome.as_str()), ("plan", "completed"));
    }
}

/// Bedrock is asked first and refuses, which costs nothing; then the plan serves, in a coding that nobody knows.
#[tokio::test]
async fn the_prompt_of_a_message_that_the_plan_served_is_not_estimated() {
    let (app, client, _) = metering_app().await;
    let in_a_minute = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() + 60;
    app.plan().enqueue(Reply::plan_limited(in_a_minute));
    app.bedrock().enqueue(Reply::bedrock_json(&billed()));
    client.ask().await;
    app.bedrock().enqueue(Reply::bedrock_error(403, "AccessDeniedException", "no"));
    app.plan().enqueue(Reply::plan_json(&of_plan()).with_header("content-encoding", "of-tomorrow"));
    assert_eq!(client.ask().await.header("x-ccp-provider"), "plan");
    let around = app.stop().await;
    let row = rows(&around.database).await.pop().unwrap();
    assert_eq!((row.provider.as_str(), row.total_tokens, row.estimated), ("plan", 0, true));
}

/// Only messages that the plan served: no refusal, nothing else that it answers, and nothing that Bedrock served.
#[tokio::test]
async fn what_the_plan_did_not_serve_is_no_row_of_it() {
    let (app, client, _) = metering_app().await;
    app.plan().enqueue(Reply::plan_error(400, "invalid_request_error", "no"));
    assert_eq!(client.ask().await.status, 400);
    app.plan().enqueue(Reply::json(200, r#"{"input_tokens":7,"usage":{"input_tokens":7}}"#));
    get(client.request(Method::POST, "/v1/messages/count_tokens").body(client.body(false))).await;
    app.plan().enqueue(Reply::json(200, r#"{"usage":{"input_tokens":7}}"#));
    get(client.request(Method::POST, "/v1/messages/batches").body("{}")).await;
    app.plan().enqueue(Reply::overloaded());
    app.bedrock().enqueue(Reply::bedrock_json(&billed()));
    client.ask().await;
    let around = app.stop().await;
    let served: Vec<_> = rows(&around.database).await.into_iter().map(|row| (row.provider, row.is_fallback)).collect();
    assert_eq!(served, [("bedrock".to_owned(), true)]);
}

/// B-53, B-81: a stream that is left, fails or breaks off is a row with what was known, and an estimate of the rest.
#[tokio::test]
async fn streams_of_the_plan_that_do_not_end_are_estimates() {
    let (app, client, _) = metering_app().await;
    let events: Vec<_> = of_plan().to_events().iter().map(support::ServerEvent::to_bytes).collect();
    let content = events[..events.len() - 2].to_vec();
    app.plan().enqueue(Reply::truncated(content.clone()).as_plan_stream());
    assert!(support::try_get(client.message(true)).await.is_err());
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"m\"}}\n\n";
    app.plan().enqueue(Reply::chunks([content.clone(), vec![error.into()]].concat()).as_plan_stream());
    client.ask_streamed().await;
    let (reply, steps) = Reply::stepped();
    app.plan().enqueue(reply.as_plan_stream());
    for event in &content {
        steps.send(event.clone());
    }
    let mut body = within("the head", client.message(true).send()).await.unwrap().bytes_stream();
    let mut got = 0;
    while got < content.iter().map(bytes::Bytes::len).sum() {
        got += within("an event", body.next()).await.unwrap().unwrap().len();
    }
    drop(body);
    steps.closed().await;
    let around = app.stop().await;
    let rows = rows(&around.database).await;
    let told: Vec<_> =
        rows.iter().map(|row| (row.outcome.as_str(), row.input_tokens, row.output_tokens, row.estimated)).collect();
    // 13 characters.
    assert_eq!(told, [("truncated", 3, 4, true), ("failed", 3, 4, true), ("cancelled", 3, 4, true)]);
}
