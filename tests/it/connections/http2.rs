//! HTTP/2 without TLS, with prior knowledge, as load balancers and sidecars speak it.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use reqwest::{Method, Version};
use support::{Answer, Client, Reply, ServerEvent, Surroundings, TestApp, frames, http2_client, sse, try_get, within};
use tokio::net::TcpStream;

use super::{app, longer_than_a_head};

async fn client_of(app: &TestApp) -> Client {
    Client::of(app, &app.key().await).over(http2_client())
}

/// The plan is asked as an HTTP/1.1 client asks: nothing of the other version's head is left in it.
#[tokio::test]
async fn a_request_over_http_2_reaches_the_plan_as_it_is() {
    let app = TestApp::start().await;
    let client = client_of(&app).await;
    app.plan().enqueue(Reply::plan_json(&Answer::text("ok")));
    let request = client.message(false).header("x-app", "cli").header("te", "trailers").header("cookie", "a=b");
    let response = within("the head", request.send()).await.unwrap();
    assert_eq!((response.version(), response.status().as_u16()), (Version::HTTP_2, 200));
    let seen = app.plan().next_request().await;
    assert_eq!((seen.target.as_str(), &seen.body[..]), ("/v1/messages?beta=true", client.body(false).as_bytes()));
    let plan = app.plan().url();
    assert_eq!(seen.header_values("host"), [plan.trim_start_matches("http://")]);
    assert_eq!((seen.header("x-app"), seen.header("cookie"), seen.header("te")), (Some("cli"), Some("a=b"), None));
    assert!(seen.headers.iter().all(|(name, _)| !name.starts_with(':')), "{:?}", seen.headers.len());
    app.stop().await;
}

/// Headers of the plan's connection are not the client's: HTTP/2 forbids them, and clients break at them.
#[tokio::test]
async fn headers_of_an_http_1_connection_stay_behind() {
    let app = TestApp::start().await;
    let client = client_of(&app).await;
    let reply = Reply::json(200, "{}")
        .with_header("connection", "keep-alive, x-private")
        .with_header("x-private", "1")
        .with_header("keep-alive", "timeout=5")
        .with_header("proxy-connection", "keep-alive")
        .with_header("upgrade", "h2c")
        .with_header("request-id", "req_1");
    app.plan().enqueue(reply);
    let got = client.ask().await;
    assert_eq!((got.status, got.header("request-id"), &got.body[..]), (200, "req_1", &b"{}"[..]));
    for name in ["connection", "x-private", "keep-alive", "proxy-connection", "upgrade", "transfer-encoding"] {
        assert!(!got.headers.contains_key(name), "{name}");
    }
    app.stop().await;
}

/// Streams of both providers, event by event, many on one connection.
#[tokio::test]
async fn streams_flow_and_end_over_http_2() {
    let app = TestApp::start().await;
    let client = client_of(&app).await;
    let answer = Answer::deltas(["one", "two"]);
    app.plan().enqueue(Reply::plan_stream(&answer));
    assert_eq!(client.ask_streamed().await.body, sse::encode(&answer.to_events()));

    let (reply, steps) = Reply::stepped();
    app.plan().enqueue(Reply::overloaded());
    app.bedrock().enqueue(reply.as_bedrock_stream());
    let events = answer.to_bedrock_events();
    // The head of the answer is held back until there is something behind it.
    steps.send(frames::chunk(&events[0].data));
    let mut body = within("the head", client.message(true).send()).await.unwrap().bytes_stream();
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            steps.send(frames::chunk(&event.data));
        }
        let seen = support::client::next_event(&mut body).await;
        assert!(seen.starts_with(format!("event: {}\n", event.name).as_bytes()));
    }
    steps.finish();
    // The end may come in an empty frame of its own.
    let rest: Vec<Bytes> = within("the end", body.map(|chunk| chunk.unwrap()).collect()).await;
    assert!(rest.iter().all(Bytes::is_empty), "{rest:?}");

    app.plan().otherwise(move |_| Reply::plan_stream(&answer));
    let all = (0..100).map(|_| async { assert!(client.ask_streamed().await.body.ends_with(b"\n\n")) });
    futures_util::future::join_all(all).await;
    app.stop().await;
}

/// B-45, B-53: half an answer breaks the stream, and a client that leaves takes the upstream with it.
#[tokio::test]
async fn what_breaks_over_http_2_breaks_and_what_is_left_is_cancelled() {
    let app = TestApp::start().await;
    let client = client_of(&app).await;
    let events: Vec<Bytes> = Answer::text("an answer").to_events().iter().map(ServerEvent::to_bytes).collect();
    app.plan().enqueue(Reply::truncated(events[..3].to_vec()).as_plan_stream());
    assert!(try_get(client.message(true)).await.is_err());

    let (reply, steps) = Reply::stepped();
    app.plan().enqueue(reply.as_plan_stream());
    for event in &events[..3] {
        steps.send(event.clone());
    }
    let mut body = within("the head", client.message(true).send()).await.unwrap().bytes_stream();
    within("an event", body.next()).await.unwrap().unwrap();
    drop(body);
    within("the plan to be let go", steps.closed()).await;

    let reply = Reply::never_answers();
    app.plan().enqueue(reply);
    let waiting = tokio::spawn(client.message(true).send());
    app.plan().next_request().await;
    app.plan().next_request().await;
    app.plan().next_request().await;
    let before = app.plan().open_connections();
    waiting.abort();
    app.plan().until_open_connections(before - 1).await;
    app.stop().await;
}

/// An idle connection stays, and the same one serves the next request.
#[tokio::test]
async fn an_idle_http_2_connection_outlives_the_time_of_a_head() {
    let app = app().await;
    let address = app.url().trim_start_matches("http://").to_owned();
    let socket = TokioIo::new(TcpStream::connect(&address).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), socket).await.unwrap();
    let driver = tokio::spawn(connection);
    for _ in 0..3 {
        let request = http::Request::get(format!("{}/health", app.url())).body(Empty::<Bytes>::new()).unwrap();
        let response = within("the head", sender.send_request(request)).await.unwrap();
        assert_eq!(response.status(), 200);
        within("the body", response.into_body().collect()).await.unwrap();
        longer_than_a_head(&app).await;
    }
    drop(sender);
    within("the connection to end", driver).await.unwrap().unwrap();
    app.stop().await;
}

/// At shutdown a stream runs on, a new request on its connection is refused in a way that the client can retry, and its
/// usage is stored although it runs in a task of its own.
#[tokio::test]
async fn streams_over_http_2_survive_a_shutdown() {
    let mut app = TestApp::start().await;
    let client = client_of(&app).await;
    let (reply, steps) = Reply::stepped();
    app.plan().enqueue(Reply::overloaded());
    app.bedrock().enqueue(reply.as_bedrock_stream());
    let frames = frames::bedrock_stream(&Answer::text("an answer"));
    steps.send(frames[0].clone());
    let mut body = within("the head", client.message(true).send()).await.unwrap().bytes_stream();
    within("an event", body.next()).await.unwrap().unwrap();
    let ended = app.begin_shutdown();
    within("new connections to be refused", async {
        while TcpStream::connect(app.url().trim_start_matches("http://")).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(try_get(client.request(Method::GET, "/v1/models")).await.is_err());
    for frame in &frames[1..] {
        steps.send(frame.clone());
    }
    steps.finish();
    let rest: Vec<u8> =
        within("the rest", body.collect::<Vec<_>>()).await.into_iter().flat_map(|chunk| chunk.unwrap()).collect();
    assert!(String::from_utf8(rest).unwrap().contains("event: message_stop"));
    within("the app to end", ended).await.unwrap();
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM token_usage WHERE outcome = 'completed'")
        .fetch_one(&app.around().database.pool)
        .await
        .unwrap();
    assert_eq!(rows, 1);
}

/// Time is up: the stream is told so, over HTTP/2 as well, and is a row.
#[tokio::test]
async fn streams_over_http_2_end_with_an_error_event_when_time_is_up() {
    let mut app = TestApp::start_in(Surroundings::start().await.with("SHUTDOWN_TIMEOUT", "300ms")).await;
    let client = client_of(&app).await;
    let (reply, steps) = Reply::stepped();
    app.plan().enqueue(Reply::overloaded());
    app.bedrock().enqueue(reply.as_bedrock_stream());
    steps.send(frames::bedrock_stream(&Answer::text("endless"))[0].clone());
    let mut body = within("the head", client.message(true).send()).await.unwrap().bytes_stream();
    within("an event", body.next()).await.unwrap().unwrap();
    let ended = app.begin_shutdown();
    let rest: Vec<u8> =
        within("the rest", body.collect::<Vec<_>>()).await.into_iter().flat_map(|chunk| chunk.unwrap()).collect();
    assert!(rest.starts_with(b"\n\nevent: error\n"));
    within("the app to end", ended).await.unwrap();
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM token_usage WHERE outcome = 'cancelled'")
        .fetch_one(&app.around().database.pool)
        .await
        .unwrap();
    assert_eq!(rows, 1);
}
