//! What is used in Bedrock's format is in the database like everything else that Bedrock served.

use claude_code_proxy::domain::RoutingStrategy;
use futures_util::StreamExt as _;
use reqwest::Method;
use rustix::process::Signal;
use support::process::ServeProcess;
use support::{Client, KeyWish, Reply, Surroundings, TestApp, frames, get, try_get, within};
use uuid::Uuid;

use super::{Developer, MODEL, app_and_developer, billed, counted};

#[derive(sqlx::FromRow, Debug, PartialEq)]
struct Row {
    request_id: String,
    user_id: Uuid,
    access_key_id: Uuid,
    model: String,
    upstream_model: String,
    upstream_message_id: Option<String>,
    input_tokens: i32,
    output_tokens: i32,
    cache_read_input_tokens: i32,
    cache_creation_5m_tokens: i32,
    cache_creation_1h_tokens: i32,
    total_tokens: i32,
    provider: String,
    is_fallback: bool,
    outcome: String,
    session_id: Option<String>,
    agent_id: Option<String>,
    time_to_first_token_ms: Option<i32>,
    estimated: bool,
}

/// Exact tokens, streamed and whole, for the model in the path, whatever the key's own is.
#[tokio::test]
async fn every_answer_is_a_row_with_its_exact_tokens() {
    let (app, developer, key) = app_and_developer().await;
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";
    let mut expected = Vec::new();
    for (reply, model, operation) in [
        (Reply::bedrock_stream(&billed()), MODEL, "invoke-with-response-stream"),
        (Reply::bedrock_json(&billed()), MODEL, "invoke"),
        (
            Reply::chunks(billed().to_json().into_bytes().chunks(7).map(<[u8]>::to_vec))
                .with_header("content-type", "application/json"),
            arn,
            "invoke",
        ),
    ] {
        app.bedrock().enqueue(reply);
        let request = developer.request(Method::POST, &format!("/model/{}/{operation}", model.replace('/', "%2F")));
        let request =
            request.header("x-claude-code-session-id", "session-1").header("x-claude-code-agent-id", "agent-1");
        let got = get(request.body(developer.body.clone())).await;
        assert_eq!(got.status, 200);
        expected.push(Row {
            request_id: got.header("x-ccp-request-id").to_owned(),
            user_id: key.user_id,
            access_key_id: key.id,
            model: model.to_owned(),
            upstream_model: model.to_owned(),
            upstream_message_id: Some("msg_of_bedrock".to_owned()),
            input_tokens: 3,
            output_tokens: 550,
            cache_read_input_tokens: 40,
            cache_creation_5m_tokens: 304,
            cache_creation_1h_tokens: 12_000,
            total_tokens: 12_897,
            provider: "bedrock".to_owned(),
            is_fallback: false,
            outcome: "completed".to_owned(),
            session_id: Some("session-1".to_owned()),
            agent_id: Some("agent-1".to_owned()),
            time_to_first_token_ms: None,
            estimated: false,
        });
    }
    let around = app.stop().await;
    let mut rows: Vec<Row> =
        sqlx::query_as("SELECT * FROM token_usage ORDER BY timestamp").fetch_all(&around.database.pool).await.unwrap();
    assert!(rows.iter_mut().all(|row| row.time_to_first_token_ms.take().is_some()));
    assert_eq!(rows, expected);
}

/// Models of other makers have bodies of their own; what Bedrock itself says of their tokens is the same for all.
#[tokio::test]
async fn models_of_other_makers_are_counted_too() {
    let (app, developer, _) = app_and_developer().await;
    app.bedrock().enqueue(
        Reply::json(200, r#"{"output":{},"usage":{"inputTokens":5,"outputTokens":6}}"#)
            .with_header("x-amzn-bedrock-input-token-count", "5")
            .with_header("x-amzn-bedrock-output-token-count", "6"),
    );
    assert_eq!(get(developer.invoke()).await.status, 200);
    let events = [
        r#"{"contentBlockDelta":{"delta":{"text":"hi"}}}"#,
        r#"{"metadata":{},"amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":8}}"#,
    ];
    app.bedrock().enqueue(Reply::chunks(events.map(frames::chunk)).as_bedrock_stream());
    assert_eq!(get(developer.stream()).await.status, 200);
    let around = app.stop().await;
    let completed = |input, output| ("completed".to_owned(), input, output, input + output);
    assert_eq!(counted(&around.database).await, [completed(5, 6), completed(7, 8)]);
}

/// Refusals of Bedrock, counted tokens and lists of profiles cost nothing and are no rows.
#[tokio::test]
async fn what_costs_nothing_is_no_row() {
    let (app, developer, _) = app_and_developer().await;
    for status in [400, 403, 429, 500, 503] {
        app.bedrock().enqueue(Reply::bedrock_error(status, "AnyException", "no"));
        assert_eq!(get(developer.stream()).await.status, status);
    }
    app.bedrock().enqueue(Reply::json(200, r#"{"inputTokens":7,"usage":{"input_tokens":7}}"#));
    assert_eq!(get(developer.call("count-tokens")).await.status, 200);
    app.bedrock().enqueue(Reply::json(200, "{}"));
    assert_eq!(get(developer.request(Method::GET, "/inference-profiles")).await.status, 200);
    // In place of an answer.
    app.bedrock().enqueue(Reply::chunks([frames::exception("throttlingException", "no")]).as_bedrock_stream());
    assert_eq!(get(developer.stream()).await.status, 200);
    let around = app.stop().await;
    assert_eq!(counted(&around.database).await, []);
}

/// B-81: an exception in the middle passes as it is, and the row says that the answer failed.
#[tokio::test]
async fn an_exception_is_a_row_that_says_so() {
    let (app, developer, _) = app_and_developer().await;
    let start = frames::bedrock_stream(&billed())[..3].to_vec();
    let exceptions = [
        frames::exception("internalServerException", "broken"),
        frames::exception("modelStreamErrorException", "broken"),
        frames::exception("modelTimeoutException", "slow"),
        frames::exception("serviceUnavailableException", "busy"),
        frames::exception("throttlingException", "too fast"),
        frames::exception("validationException", "wrong"),
        frames::error("InternalFailure", "broken"),
    ];
    for exception in exceptions.clone() {
        let whole = [start.clone(), vec![exception]].concat();
        app.bedrock().enqueue(Reply::chunks(whole.clone()).as_bedrock_stream());
        assert_eq!(get(developer.stream()).await.body, whole.concat());
    }
    let around = app.stop().await;
    let rows = counted(&around.database).await;
    assert_eq!(rows.len(), exceptions.len());
    assert!(rows.iter().all(|(outcome, input, ..)| (outcome.as_str(), *input) == ("failed", 3)), "{rows:?}");
}

/// B-53: Bedrock is let go, and the row has what was known by then.
#[tokio::test]
async fn a_client_that_leaves_is_a_row() {
    let (app, developer, _) = app_and_developer().await;
    let (reply, steps) = Reply::stepped();
    app.bedrock().enqueue(reply.as_bedrock_stream());
    let mut body = within("the head", developer.stream().send()).await.unwrap().bytes_stream();
    steps.send(frames::bedrock_stream(&billed())[0].clone());
    within("a frame", body.next()).await.unwrap().unwrap();
    drop(body);
    within("Bedrock to be let go", steps.closed()).await;
    app.bedrock().enqueue(Reply::never_answers());
    tokio::select! {
        answer = try_get(developer.invoke()) => panic!("an answer of nobody: {answer:?}"),
        () = async { for _ in 0..2 { app.bedrock().next_request().await; } } => {}
    }
    app.bedrock().until_open_connections(0).await;
    let around = app.stop().await;
    let rows = counted(&around.database).await;
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].0.as_str(), rows[0].1, rows[1].0.as_str()), ("cancelled", 3, "cancelled"));
}

/// Who reads no further than the last event has the whole answer.
#[tokio::test]
async fn a_client_that_leaves_after_the_last_event_has_completed() {
    let (app, developer, _) = app_and_developer().await;
    let (reply, steps) = Reply::stepped();
    app.bedrock().enqueue(reply.as_bedrock_stream());
    let mut body = within("the head", developer.stream().send()).await.unwrap().bytes_stream();
    for frame in frames::bedrock_stream(&billed()) {
        steps.send(frame);
        within("a frame", body.next()).await.unwrap().unwrap();
    }
    drop(body);
    within("Bedrock to be let go", steps.closed()).await;
    let around = app.stop().await;
    assert_eq!(counted(&around.database).await, [("completed".to_owned(), 3, 550, 12_897)]);
}

/// Bedrock may have worked, and counted, without saying so.
#[tokio::test]
async fn an_answer_that_never_came_is_a_row_unless_bedrock_was_never_reached() {
    let around = Surroundings::start().await.with("FIRST_BYTE_TIMEOUT", "200ms");
    let app = TestApp::start_in(around).await;
    let developer = Developer::of(&app, &app.key().await);
    app.bedrock().enqueue(Reply::never_answers());
    assert_eq!(super::exception(&get(developer.invoke()).await), (408, "ModelTimeoutException", ""));
    app.bedrock().enqueue(Reply::drops_connection());
    assert_eq!(super::exception(&get(developer.invoke()).await), (503, "ServiceUnavailableException", ""));
    let around = app.stop().await;
    // The prompt may have been counted: about a token for four bytes of its text.
    let asked = developer.body.bytes().filter(|byte| *byte != b'"').count().div_ceil(4);
    let asked = i32::try_from(asked).unwrap();
    let failed = || ("failed".to_owned(), asked, 0, asked);
    assert_eq!(counted(&around.database).await, [failed(), failed()]);

    let (_socket, address) = support::refused_address();
    let around = Surroundings::start().await.with("BEDROCK_ENDPOINT_URL", format!("http://{address}"));
    let app = TestApp::start_in(around).await;
    let developer = Developer::of(&app, &app.key().await);
    assert_eq!(super::exception(&get(developer.stream()).await), (503, "ServiceUnavailableException", ""));
    let around = app.stop().await;
    assert_eq!(counted(&around.database).await, []);
}

/// The breaker of the region learns from these requests what it learns from the others: it stands between a limited plan
/// and a Bedrock that fails.
#[tokio::test]
async fn the_breaker_of_the_region_is_told() {
    let app = TestApp::start().await;
    let key = app.key().await;
    let (developer, client) = (Developer::of(&app, &key), Client::of(&app, &key));
    app.plan().otherwise(|_| Reply::overloaded());
    for number in 0..20 {
        // As an answer, in place of a first event, and by a break before it.
        app.bedrock().enqueue(match number % 3 {
            0 => Reply::bedrock_error(503, "ServiceUnavailableException", "busy"),
            1 => Reply::chunks([frames::exception("internalServerException", "no")]).as_bedrock_stream(),
            _ => Reply::truncated([""; 0]).as_bedrock_stream(),
        });
        let _ = try_get(developer.stream()).await;
    }
    let asked = app.bedrock().requests().len();
    assert_eq!((client.ask().await.status, app.bedrock().requests().len()), (529, asked));
    // Who has no other way asks all the same.
    app.bedrock().enqueue(Reply::bedrock_json(&billed()));
    assert_eq!(get(developer.invoke()).await.status, 200);
    let only = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
    app.bedrock().enqueue(Reply::bedrock_json(&billed()));
    assert_eq!(only.ask().await.status, 200);
    app.stop().await;
}

/// At the end of a shutdown a stream of frames breaks: there is no word that could be put into the middle of a frame.
#[tokio::test]
async fn a_shutdown_breaks_a_stream_and_counts_it() {
    let around = Surroundings::start().await.with("SHUTDOWN_TIMEOUT", "500ms");
    let process = ServeProcess::start(&around).await;
    let key = around.issue(KeyWish::default()).await;
    let developer = Developer::at(format!("{}/ak/{}", process.url(), key.text));
    let (reply, steps) = Reply::stepped();
    around.bedrock.enqueue(reply.as_bedrock_stream());
    let mut body = within("the head", developer.stream().send()).await.unwrap().bytes_stream();
    steps.send(frames::bedrock_stream(&billed())[0].clone());
    within("a frame", body.next()).await.unwrap().unwrap();
    around.bedrock.enqueue(Reply::never_answers());
    let waiting = tokio::spawn(get(developer.invoke()));
    for _ in 0..2 {
        around.bedrock.next_request().await;
    }
    process.signal(Signal::TERM);
    assert!(within("the break", body.next()).await.unwrap().is_err());
    assert_eq!(super::exception(&waiting.await.unwrap()), (503, "ServiceUnavailableException", ""));
    assert_eq!(process.exit_code().await, Some(0));
    let outcomes: Vec<String> = counted(&around.database).await.into_iter().map(|row| row.0).collect();
    assert_eq!(outcomes, ["cancelled", "cancelled"]);
}

/// What Bedrock says of a whole answer in its head counts also where the answer breaks off.
#[tokio::test]
async fn a_whole_answer_that_breaks_off_counts_by_its_head() {
    let (app, developer, _) = app_and_developer().await;
    let begun = r#"{"type":"message","content":[{"type":"text","text":"an answer that"#;
    let reply = Reply::truncated([bytes::Bytes::from(begun)])
        .with_header("content-type", "application/json")
        .with_header("x-amzn-bedrock-input-token-count", "5")
        .with_header("x-amzn-bedrock-output-token-count", "6");
    app.bedrock().enqueue(reply);
    assert!(developer.invoke().send().await.unwrap().bytes().await.is_err());
    let around = app.stop().await;
    assert_eq!(counted(&around.database).await, [("truncated".to_owned(), 5, 6, 11)]);
}
