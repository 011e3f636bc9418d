//! Nothing of a plan's stream is seen before its first content: until then another provider can take over unnoticed.

use bytes::Bytes;
use futures_util::StreamExt as _;
use support::{Answer, Client, Got, KeyWish, Reply, ServerEvent, TestApp, sse, try_get, within};

/// What a stream of the plan says before its content.
fn beginning() -> Vec<ServerEvent> {
    let start = Answer::text("from the plan").with_id("msg_of_the_plan").to_events().remove(0);
    vec![start, ServerEvent::ping()]
}

fn then_error(kind: &str) -> Bytes {
    let mut events = beginning();
    events.push(ServerEvent::error(kind, "no"));
    sse::encode(&events)
}

/// Has the plan send this, Bedrock be ready, and returns what the client saw.
async fn asked(plan: Reply) -> (Got, Answer) {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    let answer = Answer::text("from Bedrock").with_id("msg_of_bedrock");
    app.plan().enqueue(plan);
    let ready = answer.clone();
    app.bedrock().otherwise(move |_| Reply::bedrock_stream(&ready));
    let got = client.ask_streamed().await;
    app.stop().await;
    (got, answer)
}

/// B-40, B-41, B-42: an error in place of content falls back unseen, with one `message_start`, that of who served.
#[tokio::test]
async fn an_error_before_content_is_never_seen() {
    for (kind, reason) in
        [("overloaded_error", "overloaded"), ("api_error", "server_error"), ("rate_limit_error", "throttled")]
    {
        for pieces in [vec![then_error(kind)], then_error(kind).chunks(7).map(Bytes::copy_from_slice).collect()] {
            let (got, answer) = asked(Reply::chunks(pieces).as_plan_stream()).await;
            assert_eq!((got.header("x-ccp-provider"), got.header("x-ccp-fallback")), ("bedrock", reason));
            assert_eq!(got.events(), answer.to_events());
        }
    }
}

/// B-45: a stream that ends or breaks before its content is no answer.
#[tokio::test]
async fn an_end_before_content_is_never_seen() {
    let begun = sse::encode(&beginning());
    for plan in [
        Reply::chunks([Bytes::new()]),
        Reply::chunks([begun.clone()]),
        Reply::truncated([begun.slice(..40)]),
        Reply::truncated([begun]),
    ] {
        let (got, answer) = asked(plan.as_plan_stream()).await;
        assert_eq!((got.header("x-ccp-provider"), got.header("x-ccp-fallback")), ("bedrock", "broken_stream"));
        assert_eq!(got.events(), answer.to_events());
    }
}

/// What the client has to heal itself is the client's to see, in a stream as well.
#[tokio::test]
async fn other_errors_are_relayed_as_they_are() {
    for kind in ["invalid_request_error", "authentication_error", "an_error_of_tomorrow"] {
        let sent = then_error(kind);
        let (got, _) = asked(Reply::chunks([sent.clone()]).as_plan_stream()).await;
        assert_eq!((got.header("x-ccp-provider"), &got.body), ("plan", &sent), "{kind}");
    }
}

/// C5: after content what happens upstream happens downstream, whatever it is.
#[tokio::test]
async fn after_content_everything_is_relayed() {
    let mut events = Answer::text("half of").to_events();
    events.truncate(4);
    events.push(ServerEvent::error("overloaded_error", "too late"));
    let sent = sse::encode(&events);
    let (got, _) = asked(Reply::chunks([sent.clone()]).as_plan_stream()).await;
    assert_eq!((got.header("x-ccp-provider"), &got.body), ("plan", &sent));
}

/// An answer without any content is an answer: it ends as one.
#[tokio::test]
async fn an_empty_answer_is_relayed() {
    let events: Vec<ServerEvent> =
        Answer::text("x").to_events().into_iter().filter(|event| !event.name.starts_with("content_block")).collect();
    let sent = sse::encode(&events);
    let (got, _) = asked(Reply::chunks([sent.clone()]).as_plan_stream()).await;
    assert_eq!((got.header("x-ccp-provider"), &got.body), ("plan", &sent));
}

/// A stream that cannot be read, or is too talkative before its content, is relayed untouched.
#[tokio::test]
async fn what_cannot_be_judged_is_relayed() {
    let compressed = Bytes::from_static(&[0x1f, 0x8b, 8, 0, 1, 2, 3]);
    let (got, _) =
        asked(Reply::chunks([compressed.clone()]).as_plan_stream().with_header("content-encoding", "gzip")).await;
    assert_eq!((got.header("content-encoding"), &got.body), ("gzip", &compressed));
    let talkative = Bytes::from(": x\n\n".repeat(20_000));
    let (got, _) = asked(Reply::chunks([talkative.clone(), then_error("api_error")]).as_plan_stream()).await;
    assert_eq!(
        (got.header("x-ccp-provider"), &got.body),
        ("plan", &Bytes::from([talkative, then_error("api_error")].concat()))
    );
}

/// Without Bedrock the client sees what the plan has sent, a break included.
#[tokio::test]
async fn without_bedrock_what_was_held_back_is_relayed() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.issue(KeyWish::without_bedrock()).await);
    app.plan().enqueue(Reply::chunks([then_error("overloaded_error")]).as_plan_stream());
    assert_eq!(client.ask_streamed().await.body, then_error("overloaded_error"));
    for cut_off in [Reply::truncated([sse::encode(&beginning())]), Reply::chunks([sse::encode(&beginning())])] {
        app.plan().enqueue(cut_off.as_plan_stream());
        assert!(try_get(client.message(true)).await.is_err(), "half an answer is not to be taken for a whole one");
    }
    app.stop().await;
}

/// Streams of other paths have events of their own, and ends of their own.
#[tokio::test]
async fn streams_of_other_paths_are_not_judged() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    let sent = Bytes::from_static(b": hello\n\nevent: error\ndata: {\"error\":{\"type\":\"api_error\"}}\n\n");
    app.plan().enqueue(Reply::chunks([sent.clone()]).as_plan_stream());
    assert_eq!(support::get(client.request(http::Method::GET, "/v1/some/events")).await.body, sent);
    app.stop().await;
}

/// The wait for content has an end: a plan that thinks in silence is not taken for one that fails.
#[tokio::test]
async fn a_quiet_stream_is_let_through_after_a_while() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    let (reply, steps) = Reply::stepped();
    app.plan().enqueue(reply.as_plan_stream());
    let begun = sse::encode(&beginning());
    steps.send(begun.clone());
    let response = within("the head", client.message(true).send()).await.unwrap();
    assert_eq!(response.headers()["x-ccp-provider"], "plan");
    let mut body = response.bytes_stream();
    assert_eq!(within("what was held back", body.next()).await.unwrap().unwrap(), begun);
    for event in &Answer::text("at last").to_events()[1..] {
        steps.send(event.to_bytes());
        assert_eq!(within("an event", body.next()).await.unwrap().unwrap(), event.to_bytes());
    }
    steps.finish();
    assert!(within("the end", body.next()).await.is_none());
    app.stop().await;
}
