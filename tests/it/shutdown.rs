//! SIGTERM: running requests finish, their usage is stored, and the process ends well.

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

/// Whoever takes longer than the time-out is broken off, and is a row all the same.
#[tokio::test]
async fn what_takes_too_long_is_broken_off_and_counted() {
    let around = Surroundings::start().await.with("SHUTDOWN_TIMEOUT", "50ms");
    let process = ServeProcess::start(&around).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), around.issue(KeyWish::default()).await.text));
    let (reply, steps) = Reply::stepped();
    around.plan.enqueue(Reply::overloaded());
    around.bedrock.enqueue(reply.as_bedrock_stream());
    steps.send(frames::bedrock_stream(&Answer::text("endless"))[0].clone());
    let mut body = within("the head", client.message(true).send()).await.unwrap().bytes_stream();
    within("an event", body.next()).await.unwrap().unwrap();
    process.signal(Signal::TERM);
    assert!(within("the break", body.next()).await.unwrap().is_err());
    assert_eq!(process.exit_code().await, Some(0));
    assert_eq!(outcomes(&around).await, [("cancelled".to_owned(), 1)]);
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
