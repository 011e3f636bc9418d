//! What the client receives: Bedrock's answer, as it is and when it comes.

use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::json;
use support::{Answer, Reply, Surroundings, TestApp, frames, get, try_get, within};

use super::{Developer, app_and_developer};

/// B-46: every byte of the frames passes, wherever they are split.
#[tokio::test]
async fn every_split_of_a_stream_is_passed_on_unchanged() {
    let (app, developer, _) = app_and_developer().await;
    let whole = Bytes::from(frames::bedrock_stream(&super::billed()).concat());
    for at in 0..=whole.len() {
        app.bedrock().enqueue(Reply::chunks([whole.slice(..at), whole.slice(at..)]).as_bedrock_stream());
        let got = get(developer.stream()).await;
        assert_eq!(got.body, whole, "split at byte {at}");
    }
    let single: Vec<Bytes> = whole.chunks(1).map(Bytes::copy_from_slice).collect();
    app.bedrock().enqueue(Reply::chunks(single).as_bedrock_stream());
    assert_eq!(get(developer.stream()).await.body, whole);
    let around = app.stop().await;
    let counted = super::counted(&around.database).await;
    assert_eq!(counted.len(), whole.len() + 2);
    assert!(counted.iter().all(|row| *row == ("completed".to_owned(), 3, 550, 12_897)), "{counted:?}");
}

#[tokio::test]
async fn frames_are_passed_on_when_they_come_and_not_later() {
    let (app, developer, _) = app_and_developer().await;
    let (reply, steps) = Reply::stepped();
    app.bedrock().enqueue(reply.as_bedrock_stream());
    // The head comes before any frame.
    let mut body = within("the head", developer.stream().send()).await.unwrap().bytes_stream();
    for frame in frames::bedrock_stream(&Answer::deltas(["one", "two"])) {
        // Halves of frames, too.
        let (front, back) = (frame.slice(..frame.len() / 2), frame.slice(frame.len() / 2..));
        for piece in [front, back] {
            steps.send(piece.clone());
            assert_eq!(within("a piece", body.next()).await.unwrap().unwrap(), piece);
        }
    }
    steps.finish();
    assert!(within("the end", body.next()).await.is_none());
    app.stop().await;
}

/// Status, headers and bytes are Bedrock's, errors of Bedrock included; ours are added.
#[tokio::test]
async fn answers_come_back_unchanged() {
    let (app, developer, _) = app_and_developer().await;
    let body = " {\"odd\": 1.0e2,\"message\":\"arn:aws:iam::123456789012:user\\/x\"} \n";
    for status in [200, 201, 400, 403, 404, 408, 413, 424, 429, 500, 503] {
        for operation in ["invoke", "invoke-with-response-stream", "count-tokens"] {
            app.bedrock().enqueue(
                Reply::json(status, body)
                    .with_header("x-amzn-requestid", "id-of-bedrock")
                    .with_header("x-amzn-errortype", "ThrottlingException:http://internal.amazon.com/coral/")
                    .with_header("retry-after", "7")
                    .with_header("x-made-up", "kept"),
            );
            let got = get(developer.call(operation)).await;
            assert_eq!((got.status, &got.body[..]), (status, body.as_bytes()));
            for (name, value) in [
                ("content-type", "application/json"),
                ("x-amzn-requestid", "id-of-bedrock"),
                ("x-amzn-errortype", "ThrottlingException:http://internal.amazon.com/coral/"),
                ("retry-after", "7"),
                ("x-made-up", "kept"),
                ("x-should-retry", ""),
                ("x-ccp-provider", "bedrock"),
                ("x-ccp-fallback", ""),
            ] {
                assert_eq!(got.header(name), value, "{name}");
            }
            assert!(!got.header("x-ccp-request-id").is_empty());
        }
    }
    app.bedrock().enqueue(Reply::bedrock_stream(&super::billed()).with_header("keep-alive", "timeout=5"));
    let got = get(developer.stream()).await;
    let kind = ("application/vnd.amazon.eventstream", "application/json");
    assert_eq!((got.header("content-type"), got.header("x-amzn-bedrock-content-type")), kind);
    assert_eq!((got.header("keep-alive"), got.header("x-ccp-provider")), ("", "bedrock"));
    app.stop().await;
}

/// What cannot be read is none of the client's concern: it gets what came.
#[tokio::test]
async fn bytes_that_nobody_understands_are_passed_on_too() {
    let (app, developer, _) = app_and_developer().await;
    let good = frames::bedrock_stream(&super::billed());
    let damaged = [&good[0], &frames::corrupted(&good[1]), &good[2], &Bytes::from_static(b"noise")].map(Clone::clone);
    let large = frames::chunk(&json!({"type": "ping", "x": "x".repeat(3 << 20)}).to_string());
    let too_large = [vec![good[0].clone(), large], good[1..].to_vec()].concat();
    for pieces in [damaged.to_vec(), too_large] {
        app.bedrock().enqueue(Reply::chunks(pieces.clone()).as_bedrock_stream());
        assert_eq!(get(developer.stream()).await.body, pieces.concat());
    }
    let zipped = [0x1f, 0x8b, 0x08, 0x00, 0xde, 0xad].as_slice();
    app.bedrock().enqueue(Reply::chunks([zipped]).as_bedrock_stream().with_header("content-encoding", "gzip"));
    assert_eq!(get(developer.stream()).await.body, zipped);
    let around = app.stop().await;
    let outcomes: Vec<String> = super::counted(&around.database).await.into_iter().map(|row| row.0).collect();
    assert_eq!(outcomes, ["failed", "completed", "completed"]);
}

/// C5, B-45: half an answer is never taken for a whole one, however clean its end looks at Bedrock.
#[tokio::test]
async fn a_stream_without_its_end_breaks() {
    let (app, developer, _) = app_and_developer().await;
    let start = &frames::bedrock_stream(&super::billed())[..3];
    let half_a_frame = [start, &[start[2].slice(..20)]].concat();
    for reply in [Reply::truncated(start.to_vec()), Reply::chunks(start.to_vec()), Reply::chunks(half_a_frame)] {
        app.bedrock().enqueue(reply.as_bedrock_stream());
        let mut body = within("the head", developer.stream().send()).await.unwrap().bytes_stream();
        let mut received = Vec::new();
        let broken = loop {
            match within("more", body.next()).await {
                Some(Ok(chunk)) => received.extend_from_slice(&chunk),
                Some(Err(_)) => break true,
                None => break false,
            }
        };
        assert!(broken && received.starts_with(&start.concat()));
    }
    app.bedrock().enqueue(Reply::truncated(["{\"id\":"]).with_header("content-type", "application/json"));
    assert!(try_get(developer.invoke()).await.is_err());
    let around = app.stop().await;
    let outcomes: Vec<String> = super::counted(&around.database).await.into_iter().map(|row| row.0).collect();
    assert_eq!(outcomes, ["truncated"; 4]);
}

/// A Bedrock that goes silent in the middle is given up, and the client's connection with it.
#[tokio::test]
async fn a_silent_stream_breaks() {
    let app = TestApp::start_in(Surroundings::start().await.with("IDLE_TIMEOUT", "200ms")).await;
    let developer = Developer::of(&app, &app.key().await);
    let (reply, steps) = Reply::stepped();
    app.bedrock().enqueue(reply.as_bedrock_stream());
    steps.send(frames::bedrock_stream(&super::billed())[0].clone());
    assert!(try_get(developer.stream()).await.is_err());
    within("Bedrock to be let go", steps.closed()).await;
    let around = app.stop().await;
    let rows = super::counted(&around.database).await;
    assert_eq!((rows.len(), rows[0].0.as_str(), rows[0].1), (1, "truncated", 3));
}

/// B-70: clients would follow, credentials and all.
#[tokio::test]
async fn a_redirect_is_neither_followed_nor_passed_on() {
    let (app, developer, _) = app_and_developer().await;
    for operation in ["invoke", "count-tokens"] {
        app.bedrock().enqueue(Reply::new(307).with_header("location", app.plan().url()));
        let got = get(developer.call(operation)).await;
        assert_eq!(super::exception(&got), (503, "ServiceUnavailableException", ""));
        assert_eq!((got.header("location"), got.header("x-ccp-provider")), ("", "bedrock"));
    }
    assert_eq!(app.plan().requests().len(), 0);
    let around = app.stop().await;
    assert_eq!(super::counted(&around.database).await, []);
}
