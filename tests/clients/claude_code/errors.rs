//! Errors that the client must see as they are, because it knows what to do: wait, repair its request, or give up.

use std::time::Duration;

use support::{Answer, KeyWish, Reply, TestApp};

use super::ClaudeCode;

/// Without Bedrock the plan's own `retry-after` is what the client goes by.
#[tokio::test]
async fn without_bedrock_it_waits_as_long_as_the_plan_says() {
    let app = TestApp::start().await;
    let claude = ClaudeCode::of(&app, &app.issue(KeyWish::without_bedrock()).await);
    app.plan().enqueue(Reply::throttled(Some(1)));
    app.plan().enqueue(Reply::plan_stream(&Answer::text("an answer after a while")));
    let report = claude.report(&["--bare"], "say something").await;
    assert_eq!(report.text(), "an answer after a while");
    let retries = report.retries();
    assert_eq!(
        (retries.len(), &retries[0]["error_status"], &retries[0]["error"]),
        (1, &429.into(), &"rate_limit".into())
    );
    // The client adds up to a quarter; without the header it would have waited for half a second.
    let waited = retries[0]["retry_delay_ms"].as_f64().unwrap();
    assert!((1000.0..1500.0).contains(&waited), "{waited} ms");
    assert!(report.printed.took >= Duration::from_secs(1));
    assert_eq!(app.plan().requests().len(), 2);
    app.stop().await;
}

/// B-63: on a 400 the client reads the words and leaves out what they name.
#[tokio::test]
async fn it_repairs_its_request_by_the_plans_own_words() {
    let app = TestApp::start().await;
    let claude = ClaudeCode::of(&app, &app.key().await);
    let words = "context_management: Extra inputs are not permitted";
    app.plan().enqueue(Reply::plan_error(400, "invalid_request_error", words));
    app.plan().enqueue(Reply::plan_stream(&Answer::text("an answer to less")));
    let report = claude.report(&["--bare"], "say something").await;
    assert_eq!(report.text(), "an answer to less");
    let [first, second] = &app.plan().requests()[..] else { panic!("{:#?}", report.printed) };
    assert!(first.json().get("context_management").is_some() && second.json().get("context_management").is_none());
    assert_eq!(app.bedrock().requests().len(), 0, "a bad request is no reason to fall back");
    app.stop().await;
}

/// Claude Code would repeat a 401 for three minutes.
#[tokio::test]
async fn with_a_wrong_access_key_it_gives_up_at_once_and_says_whom_to_ask() {
    let app = TestApp::start().await;
    let claude = ClaudeCode::with_key(&app, "ak_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG");
    let report = claude.report(&["--bare"], "say something").await;
    assert_eq!((report.printed.status.code(), &report.result()["is_error"]), (Some(1), &true.into()));
    let words = report.result()["result"].as_str().unwrap();
    assert!(words.contains("403") && words.contains("Ask the administrator"), "{words}");
    assert_eq!(report.retries().len(), 0);
    assert!(report.printed.took < Duration::from_secs(20), "{:?}", report.printed.took);
    assert_eq!((app.plan().requests().len(), app.bedrock().requests().len()), (0, 0));
    app.stop().await;
}
