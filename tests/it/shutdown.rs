//! SIGTERM: running requests finish, their usage is stored, and the process ends well.

mod rolling;

use futures_util::StreamExt as _;
use rustix::process::Signal;
use support::process::ServeProcess;
use support::{Answer, Client, KeyWish, Reply, Surroundings, frames, get, try_get, within};

/// The rows that are there, by outcome.
async fn outcomes(around: &Surroundings) -> Vec<(String, i64)> {
    sqlx::query_as("SELECT outcome, count(*) FROM token_usage GROUP BY outcome ORDER BY outcome")
        .fetch_all(&around.database.pool)
        .await
        .unwrap()
}

/// B-84: fifty streams are running when the signal comes; all of them end as they would have, and fifty rows are there.
#[tokio::test]
async fn sigterm_lets_fifty_streams_finish_and_leaves_fifty_rows() {
    let around = Surroundings::start().await;
    let process = ServeProcess::start(&around).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), around.issue(KeyWish::default()).await.text));
    let frames = frames::bedrock_stream(&Answer::text("an answer that takes its time"));
    let (first, rest) = frames.split_at(3);
    around.plan.otherwise(|_| Reply::overloaded());
    let mut streams = Vec::new();
    for _ in 0..50 {
        let (reply, steps) = Reply::stepped();
        around.bedrock.enqueue(reply.as_bedrock_stream());
        for frame in first {
            steps.send(frame.clone());
        }
        let mut body = within("the head", client.message(true).send()).await.unwrap().bytes_stream();
        let begun = within("an event", body.next()).await.unwrap().unwrap();
        assert!(begun.starts_with(b"event: message_start"));
        streams.push((steps, body));
    }

    process.signal(Signal::TERM);
    // The listener is gone when a new connection is refused; every stream still runs then.
    within("new connections to be refused", async {
        while try_get(support::http_client().get(format!("{}/health", process.url()))).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for (steps, body) in streams {
        for frame in rest {
            steps.send(frame.clone());
        }
        steps.finish();
        let chunks: Vec<_> = within("the rest of a stream", body.collect::<Vec<_>>()).await;
        let rest: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.unwrap()).collect();
        assert!(String::from_utf8(rest).unwrap().contains("event: message_stop"));
    }
    assert_eq!(process.exit_code().await, Some(0));
    assert_eq!(outcomes(&around).await, [("completed".to_owned(), 50)]);
}

/// Time is up: a stream ends with an error event, half-sent events included; whoever has no answer yet gets one; a body
/// that is no stream breaks. All are rows.
#[tokio::test]
async fn what_takes_too_long_is_told_so_and_counted() {
    // Half a second is enough for the answers below to begin; nothing waits for it.
    let around = Surroundings::start().await.with("SHUTDOWN_TIMEOUT", "500ms");
    let process = ServeProcess::start(&around).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), around.issue(KeyWish::default()).await.text));
    let (of_bedrock, bedrock_steps) = Reply::stepped();
    around.plan.enqueue(Reply::overloaded());
    around.bedrock.enqueue(of_bedrock.as_bedrock_stream());
    bedrock_steps.send(frames::bedrock_stream(&Answer::text("endless"))[0].clone());
    let mut from_bedrock = within("the head", client.message(true).send()).await.unwrap().bytes_stream();
    within("an event", from_bedrock.next()).await.unwrap().unwrap();

    let (of_plan, plan_steps) = Reply::stepped();
    around.plan.enqueue(of_plan.as_plan_stream());
    plan_steps.send("event: message_start\ndata: {\"type\":\"message_start\"}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\"}\n\nevent: content_block_delta\ndata: {\"ha");
    let mut from_plan = within("the head", client.message(true).send()).await.unwrap().bytes_stream();
    within("half an event", from_plan.next()).await.unwrap().unwrap();

    let (of_json, json_steps) = Reply::stepped();
    around.plan.enqueue(of_json.with_header("content-type", "application/json"));
    json_steps.send("{\"half\":");
    let mut json = within("the head", client.message(false).send()).await.unwrap().bytes_stream();
    within("half an answer", json.next()).await.unwrap().unwrap();

    around.plan.enqueue(Reply::overloaded());
    around.bedrock.enqueue(Reply::never_answers());
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.ask().await }
    });
    while around.bedrock.next_request().await.path().ends_with("/invoke-with-response-stream") {}

    process.signal(Signal::TERM);
    for body in [&mut from_bedrock as &mut (dyn futures_util::Stream<Item = _> + Unpin), &mut from_plan] {
        let rest: Vec<reqwest::Result<bytes::Bytes>> = within("the end", body.collect::<Vec<_>>()).await;
        let rest: Vec<u8> = rest.into_iter().flat_map(|chunk| chunk.expect("a clean end")).collect();
        let rest = String::from_utf8(rest).unwrap();
        assert!(rest.starts_with("\n\nevent: error\ndata: {") && rest.ends_with("}\n\n"), "{rest:?}");
        assert!(rest.contains("overloaded_error"), "{rest:?}");
    }
    assert!(within("the break", json.next()).await.unwrap().is_err());
    let waited = within("an answer", waiting).await.unwrap();
    assert_eq!((waited.status, waited.error_type().as_str()), (529, "overloaded_error"));
    assert_eq!(process.exit_code().await, Some(0));
    assert_eq!(outcomes(&around).await, [("cancelled".to_owned(), 2)]);
}

/// The load balancer has the delay to notice: `/health` says 503 at once, and requests are served as before. A second
/// signal ends the delay.
#[tokio::test]
async fn requests_are_served_while_the_load_balancer_notices() {
    let around = Surroundings::start().await.with("DRAIN_DELAY", "100s");
    let process = ServeProcess::start(&around).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), around.issue(KeyWish::default()).await.text));
    around.plan.otherwise(|_| Reply::plan_json(&Answer::text("ok")));
    let before = client.ask().await;
    assert_eq!((before.status, before.header("connection")), (200, ""));
    process.signal(Signal::TERM);
    until_health_is(&process, 503).await;
    for _ in 0..3 {
        // The client is asked to open a new connection for its next request, which then comes to another process.
        let during = client.ask().await;
        assert_eq!((during.status, during.header("connection")), (200, "close"));
    }
    assert_eq!(get(support::http_client().get(format!("{}/ready", process.url()))).await.status, 200);
    process.signal(Signal::TERM);
    assert_eq!(process.exit_code().await, Some(0));
}

async fn until_health_is(process: &ServeProcess, status: u16) {
    within("the health to change", async {
        while get(support::http_client().get(format!("{}/health", process.url()))).await.status != status {}
    })
    .await;
}

/// SIGINT, as Ctrl-C sends it, is the same as SIGTERM.
#[tokio::test]
async fn ctrl_c_ends_the_process_well() {
    let around = Surroundings::start().await;
    let process = ServeProcess::start(&around).await;
    assert_eq!(get(support::http_client().get(format!("{}/health", process.url()))).await.status, 200);
    process.signal(Signal::INT);
    assert_eq!(process.exit_code().await, Some(0));
}
