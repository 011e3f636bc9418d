//! Streams: relayed as they come, wherever their bytes are split, and broken when they are broken.

use bytes::Bytes;
use claude_code_proxy::domain::RoutingStrategy;
use futures_util::StreamExt as _;
use serde_json::json;
use support::{
    Answer, BedrockApi, Client, KeyWish, Reply, ServerEvent, TestApp, Usage, frames, get, sse, try_get, within,
};

/// An answer with everything that a stream can carry.
fn rich_answer() -> Answer {
    Answer::text("Grüße, 世界 🦀")
        .with_thinking("let me think", "c2lnbmF0dXJl")
        .with_tool_use("toolu_1", "Bash", json!({"command": "echo \"hi\"\n"}))
        .with_usage(Usage { input: 3, output: 21, cache_read: 5, cache_creation_5m: 7, cache_creation_1h: 9 })
}

/// A client whose requests go to Bedrock at once.
async fn of_bedrock(app: &TestApp) -> Client {
    Client::of(app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await)
}

fn split_at(bytes: &Bytes, at: usize) -> [Bytes; 2] {
    [bytes.slice(..at), bytes.slice(at..)]
}

/// B-46, B-47: an event stream may be split at any byte; the client sees the same events.
#[tokio::test]
async fn every_split_of_bedrocks_stream_gives_the_same_events() {
    let app = TestApp::start().await;
    let client = of_bedrock(&app).await;
    let answer = rich_answer();
    let whole = Bytes::from(frames::bedrock_stream(&answer).concat());
    for at in 0..=whole.len() {
        app.bedrock().enqueue(Reply::chunks(split_at(&whole, at)).as_bedrock_stream());
        let got = client.ask_streamed().await;
        assert_eq!(got.body, sse::encode(&answer.to_events()), "split at byte {at}");
    }
    app.stop().await;
}

#[tokio::test]
async fn single_bytes_give_the_same_events_too() {
    for api in BedrockApi::BOTH {
        let app = TestApp::start_in(api.surroundings().await).await;
        let client = of_bedrock(&app).await;
        let answer = rich_answer();
        let bytes: Vec<Bytes> = api.events(&answer).concat().into_iter().map(|byte| Bytes::from(vec![byte])).collect();
        app.bedrock().enqueue(api.stream(Reply::chunks(bytes)));
        assert_eq!(client.ask_streamed().await.body, sse::encode(&answer.to_events()));
        app.stop().await;
    }
}

/// C5, B-24, B-46: the plan's stream passes byte for byte, whatever is in it and wherever it is split.
#[tokio::test]
async fn every_split_of_the_plans_stream_gives_the_same_bytes() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    let odd = ": a comment\r\n\r\nevent: ping\r\ndata: {\"type\": \"ping\"}\r\n\r\nevent: of_tomorrow\ndata: {\"x\":1.0,\ndata:  \"y\":\"\\u00e9\"}\n\n";
    let whole = Bytes::from([odd.as_bytes(), &sse::encode(&rich_answer().to_events())].concat());
    for at in 0..=whole.len() {
        app.plan().enqueue(Reply::chunks(split_at(&whole, at)).as_plan_stream());
        assert_eq!(client.ask_streamed().await.body, whole, "split at byte {at}");
    }
    app.stop().await;
}

#[tokio::test]
async fn events_are_relayed_when_they_come_and_not_later() {
    for api in BedrockApi::BOTH {
        let app = TestApp::start_in(api.surroundings().await).await;
        let client = of_bedrock(&app).await;
        let events = Answer::deltas(["one", "two"]).to_bedrock_events();
        let (reply, steps) = Reply::stepped();
        app.bedrock().enqueue(api.stream(reply));
        let sent = client.message(true).send();
        // The head waits for the first event, in whose place an error would keep its status.
        steps.send(api.event(&events[0]));
        let mut body = within("the head", sent).await.unwrap().bytes_stream();
        for (number, event) in events.iter().enumerate() {
            if number > 0 {
                steps.send(api.event(event));
            }
            // The next event is sent only when this one has arrived: nothing is held back for more.
            let seen = support::client::next_event(&mut body).await;
            assert!(seen.starts_with(format!("event: {}\n", event.name).as_bytes()));
        }
        steps.finish();
        assert!(within("the end", body.next()).await.is_none());
        app.stop().await;
    }
}

/// B-47: an exception frame becomes one `error` event, in the words of the Messages API.
#[tokio::test]
async fn exceptions_become_an_error_event() {
    let app = TestApp::start().await;
    let client = of_bedrock(&app).await;
    let start = frames::bedrock_stream(&Answer::text("half an answer"))[..3].concat();
    for (frame, kind) in [
        (frames::exception("internalServerException", "broken"), "api_error"),
        (frames::exception("modelStreamErrorException", "broken"), "api_error"),
        (frames::exception("modelTimeoutException", "slow"), "timeout_error"),
        (frames::exception("serviceUnavailableException", "busy"), "overloaded_error"),
        (frames::exception("throttlingException", "too fast"), "rate_limit_error"),
        (frames::exception("validationException", "account 123456789012"), "invalid_request_error"),
        (frames::exception("anExceptionOfTomorrow", "new"), "api_error"),
        (frames::error("InternalFailure", "broken"), "api_error"),
        (frames::corrupted(&frames::chunk("{\"type\":\"ping\"}")), "api_error"),
    ] {
        app.bedrock().enqueue(Reply::chunks([start.clone(), frame.to_vec()]).as_bedrock_stream());
        let got = client.ask_streamed().await;
        let events = got.events();
        let (last, before) = events.split_last().unwrap();
        assert_eq!((last.name.as_str(), last.json()["error"]["type"].as_str()), ("error", Some(kind)));
        assert!(before.iter().all(|event| event.name != "error") && before[0].name == "message_start");
        assert!(!String::from_utf8_lossy(&got.body).contains("123456789012"));
    }
    app.stop().await;
}

/// B-45, C5: half an answer must not look like a whole one.
#[tokio::test]
async fn a_stream_that_breaks_breaks_for_the_client_too() {
    let answer = Answer::text("an answer of some words");
    for api in BedrockApi::BOTH {
        let app = TestApp::start_in(api.surroundings().await).await;
        let client = of_bedrock(&app).await;
        let events = api.events(&answer);
        for cut in [1, 3, events.len() - 1] {
            app.bedrock().enqueue(api.stream(Reply::truncated(events[..cut].to_vec())));
            assert!(try_get(client.message(true)).await.is_err(), "{api:?}: the connection broke after {cut} events");
            // A clean end before the last event is no end either, nor is one in the middle of an event.
            let mut half = events[..cut].concat();
            half.extend(&events[cut][..events[cut].len() / 2]);
            for early in [events[..cut].concat(), half] {
                app.bedrock().enqueue(api.stream(Reply::chunks([early])));
                assert!(try_get(client.message(true)).await.is_err(), "{api:?}: the stream ended after {cut} events");
            }
        }
        app.stop().await;
    }
    let app = TestApp::start().await;
    let of_plan = Client::of(&app, &app.issue(KeyWish::without_bedrock()).await);
    let events: Vec<Bytes> = answer.to_events().iter().map(ServerEvent::to_bytes).collect();
    for cut in [1, 3, events.len() - 1] {
        app.plan().enqueue(Reply::truncated(events[..cut].to_vec()).as_plan_stream());
        assert!(try_get(of_plan.message(true)).await.is_err(), "the plan broke after {cut} events");
    }
    app.stop().await;
}

/// C5: a plan's stream that ends without its last event was cut off, however clean the end looks.
#[tokio::test]
async fn a_clean_end_without_the_last_event_is_a_break() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    let events: Vec<Bytes> = Answer::text("half of it").to_events().iter().map(ServerEvent::to_bytes).collect();
    app.plan().enqueue(Reply::chunks(events[..4].to_vec()).as_plan_stream());
    assert!(try_get(client.message(true)).await.is_err());
    app.stop().await;
}

/// B-43, C6: Bedrock sends no pings, so the proxy does, before the first event and between events; the plan's bytes are the plan's.
#[tokio::test]
async fn silence_of_bedrock_is_filled_with_pings() {
    for api in BedrockApi::BOTH {
        let app = TestApp::start_in(api.surroundings().await.with("PING_INTERVAL", "30ms")).await;
        let client = of_bedrock(&app).await;
        let (reply, steps) = Reply::stepped();
        app.bedrock().enqueue(api.stream(reply));
        let mut body = within("the head", client.message(true).send()).await.unwrap().bytes_stream();
        let mut next = async || within("a chunk", body.next()).await.unwrap().unwrap();
        let ping = ServerEvent::ping();
        let as_text = |bytes: &Bytes| sse::decode(std::str::from_utf8(bytes).unwrap()).remove(0).name;
        assert_eq!(as_text(&next().await), ping.name);
        for frame in api.events(&Answer::text("at last")) {
            steps.send(frame);
            let (mut named, mut pings) = (as_text(&next().await), 0);
            while named == ping.name {
                (named, pings) = (as_text(&next().await), pings + 1);
            }
            assert!(pings < 100, "the event came through");
        }
        steps.finish();
        app.stop().await;
    }
}

/// An error that comes after the answer has begun with a ping is an `error` event.
#[tokio::test]
async fn a_late_refusal_of_bedrock_is_an_error_event() {
    for api in BedrockApi::BOTH {
        let app = TestApp::start_in(api.surroundings().await.with("PING_INTERVAL", "30ms")).await;
        let client = of_bedrock(&app).await;
        let (release, gate) = tokio::sync::oneshot::channel::<()>();
        let refusal = Reply::bedrock_error(429, "ThrottlingException", "slow down").with_header("retry-after", "30");
        app.bedrock().enqueue(refusal.held_until(gate));
        let mut body = within("the head", client.message(true).send()).await.unwrap().bytes_stream();
        within("a ping", body.next()).await.unwrap().unwrap();
        release.send(()).unwrap();
        let rest: Vec<_> = within("the rest", body.collect::<Vec<_>>()).await;
        let rest: Vec<u8> = rest.into_iter().flat_map(|chunk| chunk.unwrap()).collect();
        let events = sse::decode(std::str::from_utf8(&rest).unwrap());
        let last = events.last().unwrap();
        assert_eq!((last.name.as_str(), last.json()["error"]["type"].as_str()), ("error", Some("rate_limit_error")));
        let around = app.stop().await;
        let rows: i64 =
            sqlx::query_scalar("SELECT count(*) FROM token_usage").fetch_one(&around.database.pool).await.unwrap();
        assert_eq!(rows, 0, "what was refused is not counted");
    }
}

#[tokio::test]
async fn a_stream_that_goes_silent_ends() {
    for api in BedrockApi::BOTH {
        let app = TestApp::start_in(api.surroundings().await.with("IDLE_TIMEOUT", "50ms")).await;
        let client = Client::of(&app, &app.key().await);
        let (reply, steps) = Reply::stepped();
        app.plan().enqueue(reply.as_plan_stream());
        steps.send(ServerEvent::ping().to_bytes());
        assert!(try_get(client.message(true)).await.is_err());
        within("the plan's connection to be closed", steps.closed()).await;
        let (reply, steps) = Reply::stepped();
        app.plan().enqueue(Reply::overloaded());
        app.bedrock().enqueue(api.stream(reply));
        steps.send(api.event(&Answer::text("half").to_events()[0]));
        assert!(try_get(client.message(true)).await.is_err());
        within("Bedrock's connection to be closed", steps.closed()).await;
        app.stop().await;
    }
}

/// B-53: a client that leaves takes the upstream's connection with it.
#[tokio::test]
async fn leaving_cancels_the_upstream() {
    for api in BedrockApi::BOTH {
        let app = TestApp::start_in(api.surroundings().await).await;
        let client = Client::of(&app, &app.key().await);
        let (reply, of_plan) = Reply::stepped();
        app.plan().enqueue(reply.as_plan_stream());
        of_plan.send(ServerEvent::ping().to_bytes());
        drop(read_a_little(client.message(true)).await);
        within("the plan to be let go", of_plan.closed()).await;

        let (reply, of_bedrock) = Reply::stepped();
        app.plan().enqueue(Reply::overloaded());
        app.bedrock().enqueue(api.stream(reply));
        of_bedrock.send(api.event(&Answer::text("half").to_events()[0]));
        drop(read_a_little(client.message(true)).await);
        within("Bedrock to be let go", of_bedrock.closed()).await;
        app.stop().await;
    }
}

async fn read_a_little(request: reqwest::RequestBuilder) -> impl Sized {
    let mut body = within("the head", request.send()).await.unwrap().bytes_stream();
    within("a chunk", body.next()).await.unwrap().unwrap();
    body
}

#[tokio::test]
async fn a_whole_answer_of_the_plan_keeps_its_length_and_breaks_if_it_is_short() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    let body = Answer::text("ok").to_json();
    app.plan().enqueue(Reply::json(200, body.clone()));
    let got = get(client.message(false)).await;
    assert_eq!((got.header("content-length"), &got.body[..]), (body.len().to_string().as_str(), body.as_bytes()));
    app.plan().enqueue(Reply::truncated([body]));
    assert!(try_get(client.message(false)).await.is_err());
    app.stop().await;
}
