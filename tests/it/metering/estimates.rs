//! What is stored of answers whose final count never came.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::RequestBuilder;
use serde_json::json;
use support::{BedrockApi, ServerEvent};

use super::*;

/// Which way an answer of Bedrock takes.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Route {
    api: BedrockApi,
    /// For a client that speaks Bedrock's format.
    native: bool,
}

const ROUTES: [Route; 3] = [
    Route { api: BedrockApi::Invoke, native: false },
    Route { api: BedrockApi::Messages, native: false },
    Route { api: BedrockApi::Invoke, native: true },
];

/// Thinks 9 characters, says 26 and calls a tool with 16: 51 characters, which are 13 tokens.
fn talkative() -> Answer {
    Answer::deltas(["Grüße ", "an alle, und bis ", "bal"])
        .with_thinking("let\u{2019}s see", "c2lnbmF0dXJl".repeat(100))
        .with_tool_use("toolu_1", "Bash", json!({"command": "ls"}))
        .with_id("msg_of_bedrock")
        .with_usage(USAGE)
}

impl Route {
    async fn start(self) -> (TestApp, Client) {
        let app = TestApp::start_in(self.api.surroundings().await).await;
        let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
        (app, client)
    }

    fn request(self, client: &Client, stream: bool) -> RequestBuilder {
        if !self.native {
            return client.message(stream);
        }
        let operation = if stream { "invoke-with-response-stream" } else { "invoke" };
        let path = format!("/model/us.anthropic.claude-opus-5-5/{operation}");
        client.request(Method::POST, &path).header("content-type", "application/json").body(client.body(stream))
    }

    /// Whether the client has got all of these events.
    fn has_come(self, got: &[u8], events: &[Bytes]) -> bool {
        if self.native {
            got.len() == events.iter().map(Bytes::len).sum::<usize>()
        } else {
            got.windows(2).filter(|two| two == b"\n\n").count() == events.len()
        }
    }
}

/// The row, with what is told of an estimate.
async fn told(app: TestApp) -> Vec<(String, i32, i32, i32, bool)> {
    let around = app.stop().await;
    let rows = rows(&around.database).await;
    rows.into_iter()
        .map(|row| (row.outcome, row.input_tokens, row.cache_read_input_tokens, row.output_tokens, row.estimated))
        .collect()
}

/// The tokens of a request that Bedrock never counted: one for four bytes of its text.
fn asked(client: &Client, stream: bool) -> i32 {
    let text = client.body(stream).bytes().filter(|byte| *byte != b'"').count();
    i32::try_from(text.div_ceil(4)).unwrap()
}

/// B-53: whoever leaves in mid-stream lets Bedrock go within a second and leaves a row with what was known by then, and an
/// estimate of the output from what was relayed.
#[tokio::test]
async fn a_client_that_leaves_in_mid_stream_is_an_estimate() {
    for route in ROUTES {
        let (app, client) = route.start().await;
        let (reply, steps) = Reply::stepped();
        app.bedrock().enqueue(route.api.stream(reply));
        let events = route.api.events(&talkative());
        let content = &events[..events.len() - 2];
        for event in content {
            steps.send(event.clone());
        }
        let mut body = within("the head", route.request(&client, true).send()).await.unwrap().bytes_stream();
        let mut got = Vec::new();
        while !route.has_come(&got, content) {
            got.extend(within("an event", body.next()).await.unwrap().unwrap());
        }
        let left = Instant::now();
        drop(body);
        steps.closed().await;
        assert!(left.elapsed() < Duration::from_secs(1), "{route:?}: {:?}", left.elapsed());
        assert_eq!(told(app).await, [("cancelled".to_owned(), 3, 40, 13, true)], "{route:?}");
    }
}

/// B-53: who leaves before Bedrock has said anything may have used the prompt all the same.
#[tokio::test]
async fn a_client_that_leaves_before_the_answer_has_asked() {
    for (route, stream) in ROUTES.into_iter().flat_map(|route| [(route, true), (route, false)]) {
        let (app, client) = route.start().await;
        app.bedrock().enqueue(Reply::never_answers());
        tokio::select! {
            answer = support::try_get(route.request(&client, stream)) => panic!("an answer of nobody: {answer:?}"),
            _ = app.bedrock().next_request() => {}
        }
        app.bedrock().until_open_connections(0).await;
        let expected = ("cancelled".to_owned(), asked(&client, stream), 0, 0, true);
        let around = app.stop().await;
        let rows = rows(&around.database).await;
        let row = &rows[0];
        assert_eq!(rows.len(), 1, "{route:?}");
        assert_eq!((row.outcome.clone(), row.input_tokens, 0, row.output_tokens, row.estimated), expected, "{route:?}");
        assert_eq!((row.time_to_first_token_ms, &row.upstream_message_id), (None, &None), "{route:?}");
    }
}

/// B-53, B-81: streams that break or fail are estimated as well; a stream that is whole is not, nor is one that lacks only
/// its last event.
#[tokio::test]
async fn broken_and_failed_streams_are_estimates_and_whole_ones_are_not() {
    for route in ROUTES {
        let (app, client) = route.start().await;
        let events = route.api.events(&talkative());
        let content = &events[..events.len() - 2];
        let error = match route.api {
            BedrockApi::Messages => ServerEvent::error("overloaded_error", "too much").to_bytes(),
            BedrockApi::Invoke => frames::exception("throttlingException", "slow down"),
        };
        for reply in [
            Reply::truncated(content.to_vec()),
            Reply::chunks([content, &[error]].concat()),
            Reply::truncated(events[..events.len() - 1].to_vec()),
            Reply::chunks(events.clone()),
        ] {
            app.bedrock().enqueue(route.api.stream(reply));
            // Some of them break, and that is what the rows are about.
            let _ = support::try_get(route.request(&client, true)).await;
        }
        let row = |outcome: &str, output, estimated| (outcome.to_owned(), 3, 40, output, estimated);
        let expected = [
            row("truncated", 13, true),
            row("failed", 13, true),
            row("truncated", 550, false),
            row("completed", 550, false),
        ];
        assert_eq!(told(app).await, expected, "{route:?}");
    }
}

/// A whole answer says what it cost. One that breaks off says nothing, and may have cost what was asked.
#[tokio::test]
async fn whole_answers_are_never_estimated() {
    for route in ROUTES {
        let (app, client) = route.start().await;
        app.bedrock().enqueue(route.api.answer(&talkative(), false));
        assert_eq!(get(route.request(&client, false)).await.status, 200);
        let cut = talkative().to_json().into_bytes()[..100].to_vec();
        app.bedrock().enqueue(Reply::truncated([cut]).with_header("content-type", "application/json"));
        let _ = support::try_get(route.request(&client, false)).await;
        let asked = asked(&client, false);
        let outcome = if route.native { "truncated" } else { "failed" };
        let expected = [("completed".to_owned(), 3, 40, 550, false), (outcome.to_owned(), asked, 0, 0, true)];
        assert_eq!(told(app).await, expected, "{route:?}");
    }
}

/// B-49: searches that a provider ran itself are counted like tokens.
#[tokio::test]
async fn searches_are_counted() {
    let (app, client) = ROUTES[0].start().await;
    let mut answer = talkative().to_json();
    answer = answer.replace("\"usage\":{", "\"usage\":{\"server_tool_use\":{\"web_search_requests\":2},");
    app.bedrock().enqueue(Reply::json(200, answer));
    assert_eq!(client.ask().await.status, 200);
    let around = app.stop().await;
    assert_eq!(number(&around.database, "SELECT web_search_requests::bigint FROM token_usage").await, 2);
}
