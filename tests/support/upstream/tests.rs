//! The scripted upstream against a real client: what it records, and each way in which a reply may go or break off.

use std::io::ErrorKind;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::{Answer, Reply, Upstream, http_client, within};

/// A connection of its own for each call, so that nothing is retried on a pooled one.
async fn get(upstream: &Upstream) -> reqwest::Result<reqwest::Response> {
    within("an answer", http_client().get(upstream.url()).send()).await
}

async fn text(reply: Reply) -> reqwest::Result<String> {
    let upstream = Upstream::start().await;
    upstream.enqueue(reply);
    within("a body", get(&upstream).await?.text()).await
}

#[tokio::test]
async fn replies_are_taken_in_order_and_then_the_default() {
    let upstream = Upstream::start().await;
    upstream.enqueue(Reply::new(201));
    upstream.enqueue(Reply::overloaded());
    assert_eq!(get(&upstream).await.unwrap().status(), 201);
    assert_eq!(upstream.replies_left(), 1);
    assert_eq!(get(&upstream).await.unwrap().status(), 529);
    let unscripted = get(&upstream).await.unwrap();
    assert_eq!(unscripted.status(), 500);
    assert!(unscripted.text().await.unwrap().contains("nothing was scripted for GET /"));
    upstream.otherwise(|request| Reply::json(200, request.target.clone()));
    assert_eq!(get(&upstream).await.unwrap().text().await.unwrap(), "/");
}

#[tokio::test]
async fn a_request_is_recorded_as_it_was_on_the_wire() {
    let upstream = Upstream::start().await;
    upstream.enqueue(Reply::new(200));
    let call = http_client()
        .post(format!("{}/model/a%2Fb:0/invoke?beta=true&x=%20", upstream.url()))
        .header("anthropic-beta", "one")
        .header("anthropic-beta", "two")
        .body(r#"{"a":1}"#);
    within("an answer", call.send()).await.unwrap();
    let request = upstream.next_request().await;
    assert_eq!((request.method.as_str(), request.path()), ("POST", "/model/a%2Fb:0/invoke"));
    assert_eq!(request.target, "/model/a%2Fb:0/invoke?beta=true&x=%20");
    assert_eq!(request.header_values("anthropic-beta"), ["one", "two"]);
    assert_eq!(request.header("content-length"), Some("7"));
    assert_eq!(request.json()["a"], 1);
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn next_request_waits_for_one_that_is_still_to_come() {
    let upstream = Upstream::start().await;
    let (request, _) = tokio::join!(upstream.next_request(), get(&upstream));
    assert_eq!(request.method, "GET");
}

#[tokio::test]
async fn whole_and_chunked_bodies_arrive() {
    let answer = Answer::text("all is well");
    assert_eq!(text(Reply::plan_json(&answer)).await.unwrap(), answer.to_json());
    let stream = text(Reply::plan_stream(&answer)).await.unwrap();
    assert_eq!(crate::sse::decode(&stream), answer.to_events());
    assert_eq!(text(Reply::chunks(["a", "b", "c"])).await.unwrap(), "abc");
}

#[tokio::test]
async fn a_stepped_body_arrives_step_by_step_and_ends_cleanly() {
    let upstream = Upstream::start().await;
    let (reply, steps) = Reply::stepped();
    upstream.enqueue(reply.as_plan_stream());
    let mut body = get(&upstream).await.unwrap().bytes_stream();
    for step in ["one", "two"] {
        steps.send(step);
        assert_eq!(within("a step", body.next()).await.unwrap().unwrap(), step);
    }
    steps.finish();
    assert!(within("the end", body.next()).await.is_none());
    steps.closed().await;
}

#[tokio::test]
async fn aborted_forgotten_and_truncated_bodies_end_in_an_error_after_all_they_sent() {
    let (aborted, steps) = Reply::stepped();
    steps.send("kept");
    steps.abort();
    let (forgotten, dropped_steps) = Reply::stepped();
    dropped_steps.send("kept");
    drop(dropped_steps);
    // Much in one piece: it must not stay behind in a buffer when the connection breaks.
    let large = Bytes::from(vec![b'k'; 300_000]);
    for (reply, sent) in
        [(aborted, 4), (forgotten, 4), (Reply::truncated(["ke", "pt"]), 4), (Reply::truncated([large]), 300_000)]
    {
        let upstream = Upstream::start().await;
        upstream.enqueue(reply);
        let mut body = get(&upstream).await.unwrap().bytes_stream();
        let mut received = 0;
        let error = loop {
            match within("bytes or an error", body.next()).await.expect("no clean end") {
                Ok(bytes) => received += bytes.len(),
                Err(error) => break error,
            }
        };
        assert_eq!(received, sent, "before {error}");
    }
}

#[tokio::test]
async fn a_peer_who_leaves_a_body_is_noticed_while_nothing_is_sent() {
    let upstream = Upstream::start().await;
    let (reply, steps) = Reply::stepped();
    upstream.enqueue(reply);
    let response = get(&upstream).await.unwrap();
    assert_eq!(upstream.open_connections(), 1);
    drop(response);
    steps.closed().await;
    upstream.until_open_connections(0).await;
}

#[tokio::test]
async fn a_peer_who_leaves_a_silent_upstream_is_noticed() {
    let upstream = Upstream::start().await;
    upstream.enqueue(Reply::never_answers());
    tokio::select! {
        answer = get(&upstream) => panic!("an answer to a request that has none: {answer:?}"),
        _ = upstream.next_request() => {}
    }
    upstream.until_open_connections(0).await;
}

#[tokio::test]
async fn a_dropped_connection_is_an_error_without_an_answer() {
    let upstream = Upstream::start().await;
    upstream.enqueue(Reply::drops_connection());
    assert!(get(&upstream).await.unwrap_err().is_request());
    assert_eq!(upstream.requests().len(), 1);
}

/// What comes on a connection as raw bytes, up to its end, and whether that was a reset.
async fn raw(reply: Reply) -> (String, bool) {
    let upstream = Upstream::start().await;
    upstream.enqueue(reply);
    let mut socket = TcpStream::connect(upstream.url().trim_start_matches("http://")).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut received = Vec::new();
    let ended = within("the end", socket.read_to_end(&mut received)).await;
    let is_reset = ended.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset);
    (String::from_utf8(received).unwrap(), is_reset)
}

#[tokio::test]
async fn a_break_is_a_close_or_after_all_that_was_sent_a_reset() {
    assert_eq!(raw(Reply::drops_connection()).await, (String::new(), false));
    assert_eq!(raw(Reply::drops_connection().with_reset()).await, (String::new(), true));
    for reset in [false, true] {
        let reply = Reply::truncated(["one", "two"]);
        let (received, is_reset) = raw(if reset { reply.with_reset() } else { reply }).await;
        assert!(received.contains("one") && received.contains("two"), "{received}");
        assert_eq!(is_reset, reset);
    }
}

#[tokio::test]
async fn a_held_reply_waits_for_its_gate() {
    let upstream = Upstream::start().await;
    let (open, gate) = oneshot::channel::<()>();
    upstream.enqueue(Reply::new(204).held_until(gate));
    let call = tokio::spawn(http_client().get(upstream.url()).send());
    upstream.next_request().await;
    assert!(!call.is_finished());
    open.send(()).unwrap();
    assert_eq!(within("an answer", call).await.unwrap().unwrap().status(), 204);
}

#[tokio::test]
async fn dropping_the_upstream_breaks_what_is_under_way() {
    let upstream = Upstream::start().await;
    let (reply, steps) = Reply::stepped();
    upstream.enqueue(reply);
    let mut body = get(&upstream).await.unwrap().bytes_stream();
    drop(upstream);
    steps.closed().await;
    assert!(within("an error", body.next()).await.unwrap().is_err());
}
