//! SIGKILL: whoever has an answer has a row, once the next process runs.

use std::path::PathBuf;

use futures_util::{StreamExt as _, stream};
use http::Method;
use support::{Answer, Reply, frames, within};

use super::{Journaled, count, end, kill, rows_are, sums_are_those_of_the_rows};

/// The process is killed in the moment in which a client has the last event of a stream, whose connection is still open
/// on both sides then, and the database has never heard of it.
#[tokio::test]
async fn whoever_has_the_last_event_has_a_row() {
    let journaled = Journaled::start().await;
    let frames = frames::bedrock_stream(&Answer::text("a stream"));
    let of_bedrock = String::from_utf8_lossy(&frames.concat()).into_owned();
    for (path, last) in [
        ("/v1/messages", "event: message_stop"),
        ("/model/anthropic.claude-opus-5-5/invoke-with-response-stream", of_bedrock.as_str()),
    ] {
        let (process, client) = journaled.serve().await;
        let before = count(journaled.database()).await;
        journaled.database().take_away().await;
        let (reply, steps) = Reply::stepped();
        journaled.around.bedrock.enqueue(reply.as_bedrock_stream());
        for frame in &frames {
            steps.send(frame.clone());
        }
        let request = client.request(Method::POST, path).body(client.body(true));
        let mut body = within("the head", request.send()).await.unwrap().bytes_stream();
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains(last) {
            seen.extend(within("an event", body.next()).await.unwrap().unwrap());
        }
        kill(process).await;
        journaled.database().bring_back().await;
        assert_eq!(count(journaled.database()).await, before, "the database was away");
        end(journaled.recover(before + 1).await).await;
        assert_eq!(journaled.files("jsonl"), [] as [PathBuf; 0], "nothing is left of what is stored");
    }
    let outcomes: Vec<String> =
        sqlx::query_scalar("SELECT outcome FROM token_usage").fetch_all(&journaled.database().pool).await.unwrap();
    assert_eq!(outcomes, ["completed"; 4]);
    sums_are_those_of_the_rows(journaled.database()).await;
}

/// With the database there as well, a record that may or may not have been stored already is a row, and one.
#[tokio::test]
async fn a_whole_answer_is_one_row_however_far_it_had_come() {
    let journaled = Journaled::start().await;
    for round in 0..3 {
        let (process, client) = journaled.serve().await;
        assert_eq!(client.ask().await.status, 200);
        kill(process).await;
        end(journaled.recover(2 * round + 2).await).await;
    }
    sums_are_those_of_the_rows(journaled.database()).await;
}

/// B-79: two thousand answers while the database is away, and then the process is killed: no request fails, no row is
/// missing, the sums are right.
#[tokio::test]
async fn two_thousand_answers_without_a_database_are_two_thousand_rows() {
    const REQUESTS: i64 = 2000;
    let journaled = Journaled::start().await;
    let (process, client) = journaled.serve().await;
    journaled.database().take_away().await;
    let answered = stream::iter(0..REQUESTS).map(|_| client.ask()).buffer_unordered(32);
    assert_eq!(answered.filter(|got| std::future::ready(got.status == 200)).count().await, 2000);
    kill(process).await;
    let next = support::process::ServeProcess::start(&journaled.around).await;
    next.lines("usage cannot be stored for the moment", 1).await;
    journaled.database().bring_back().await;
    rows_are(journaled.database(), REQUESTS + 1).await;
    sums_are_those_of_the_rows(journaled.database()).await;
    end(next).await;
    assert_eq!(journaled.files("jsonl"), [] as [PathBuf; 0]);
}

/// Two processes on one folder: each has a journal of its own, and the one that comes back stores both.
#[tokio::test]
async fn what_a_process_leaves_is_taken_over_by_another() {
    let journaled = Journaled::start().await;
    let (first, client) = journaled.serve().await;
    let (second, other) = journaled.serve().await;
    journaled.database().take_away().await;
    for client in [&client, &other, &other] {
        assert_eq!(client.ask().await.status, 200);
    }
    assert_eq!(journaled.files("jsonl").len(), 2);
    kill(first).await;
    kill(second).await;
    journaled.database().bring_back().await;
    end(journaled.recover(5).await).await;
    assert_eq!(journaled.files("jsonl"), [] as [PathBuf; 0]);
    sums_are_those_of_the_rows(journaled.database()).await;
}
