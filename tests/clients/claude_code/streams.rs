//! Streams that break: the client notices, asks again, and ends up with a whole answer.

use support::{Answer, KeyWish, Reply, ServerEvent, Surroundings, TestApp, frames};

use super::{ClaudeCode, RESET};
use crate::usage;

/// How many events come before the connection breaks: the first one alone, and some of the text.
const CUTS: [usize; 2] = [1, 4];

fn whole() -> Answer {
    Answer::text("an answer from its beginning to its end")
}

/// The operations that Bedrock was asked for.
fn operations(app: &TestApp) -> Vec<String> {
    let last_part = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    app.bedrock().requests().iter().map(|request| last_part(request.path())).collect()
}

/// The outcomes of what was metered.
async fn outcomes(around: &Surroundings) -> Vec<String> {
    usage::rows(&around.database).await.into_iter().map(|row| row.outcome).collect()
}

/// B-45: the client takes a clean end for another failure, after which it would do without streams.
#[tokio::test]
async fn a_stream_of_the_plan_that_breaks_is_asked_for_again() {
    let app = TestApp::start().await;
    let claude = ClaudeCode::of(&app, &app.issue(KeyWish::without_bedrock()).await);
    let events: Vec<_> = whole().to_events().iter().map(ServerEvent::to_bytes).collect();
    for cut in CUTS {
        app.plan().enqueue(Reply::truncated(events[..cut].to_vec()).as_plan_stream());
    }
    app.plan().enqueue(Reply::plan_stream(&whole()));
    let report = claude.report(&["--bare"], "say something").await;
    assert_eq!((report.text(), report.retries().len()), (whole().full_text().as_str(), 2));
    let streamed: Vec<_> = app.plan().requests().iter().map(|request| request.json()["stream"].clone()).collect();
    assert_eq!(streamed, [true, true, true]);
    app.stop().await;
}

/// Nothing of the answer has been shown yet, so the client need not know.
#[tokio::test]
async fn a_stream_of_the_plan_that_breaks_at_its_start_is_replaced_by_bedrocks() {
    let app = TestApp::start().await;
    let claude = ClaudeCode::of(&app, &app.key().await);
    let start = whole().to_events()[0].to_bytes();
    app.plan().enqueue(Reply::truncated([start]).as_plan_stream());
    app.bedrock().enqueue(Reply::bedrock_stream(&whole()));
    let report = claude.report(&["--bare"], "say something").await;
    assert_eq!((report.text(), report.retries().len()), (whole().full_text().as_str(), 0));
    assert_eq!((app.plan().requests().len(), operations(&app)), (1, vec!["invoke-with-response-stream".to_owned()]));
    assert_eq!(outcomes(&app.stop().await).await, ["completed"]);
}

/// B-45, B-81: Bedrock has counted every attempt, so each is a row.
#[tokio::test]
async fn a_stream_of_bedrock_that_breaks_is_asked_for_again() {
    let app = TestApp::start().await;
    let claude = ClaudeCode::of(&app, &app.key().await);
    app.plan().otherwise(|_| Reply::plan_limited(RESET));
    let frames = frames::bedrock_stream(&whole());
    for cut in CUTS {
        app.bedrock().enqueue(Reply::truncated(frames[..cut].to_vec()).as_bedrock_stream());
    }
    app.bedrock().enqueue(Reply::bedrock_stream(&whole()));
    let report = claude.report(&["--bare"], "say something").await;
    assert_eq!((report.text(), report.retries().len()), (whole().full_text().as_str(), 2));
    assert_eq!(operations(&app), ["invoke-with-response-stream"; 3]);
    assert_eq!(outcomes(&app.stop().await).await, ["truncated", "truncated", "completed"]);
}

/// B-47: after an `error` event the client does without a stream, and Bedrock's other operation serves it.
#[tokio::test]
async fn after_an_exception_of_bedrock_it_asks_for_the_whole_answer() {
    let app = TestApp::start().await;
    let claude = ClaudeCode::of(&app, &app.key().await);
    app.plan().otherwise(|_| Reply::plan_limited(RESET));
    let mut failed = frames::bedrock_stream(&whole())[..CUTS[1]].to_vec();
    failed.push(frames::exception("modelStreamErrorException", "The model broke off."));
    app.bedrock().enqueue(Reply::chunks(failed).as_bedrock_stream());
    app.bedrock().enqueue(Reply::bedrock_json(&whole()));
    let report = claude.report(&["--bare"], "say something").await;
    assert_eq!(report.text(), whole().full_text());
    assert_eq!(operations(&app), ["invoke-with-response-stream", "invoke"]);
    assert_eq!(outcomes(&app.stop().await).await, ["failed", "completed"]);
}
