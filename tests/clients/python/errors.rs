//! Errors reach programs as the exceptions that they are written for.

use serde_json::Value;
use support::{KeyWish, Reply, TestApp};

use super::Program;

/// The one line of a run that failed.
async fn failure(program: &Program, arguments: &[&str]) -> Value {
    let lines = program.run(arguments).await;
    let [line] = &lines[..] else { panic!("{lines:?}") };
    line.clone()
}

/// B-63
#[tokio::test]
async fn a_bad_request_is_told_in_the_plans_own_words() {
    let app = TestApp::start().await;
    let program = Program::of(&app, &app.key().await);
    let words = "max_tokens: must be greater than or equal to 1";
    for operation in ["create", "stream"] {
        app.plan().enqueue(Reply::plan_error(400, "invalid_request_error", words));
        let failure = failure(&program, &[operation]).await;
        assert_eq!((&failure["exception"], &failure["status"]), (&"BadRequestError".into(), &400.into()));
        assert_eq!((&failure["error"]["message"], &failure["requests"]), (&words.into(), &1.into()));
    }
    assert_eq!(app.bedrock().requests().len(), 0);
    app.stop().await;
}

#[tokio::test]
async fn a_wrong_access_key_is_refused_once() {
    let app = TestApp::start().await;
    let program = Program::with_key(&app, "ak_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG");
    let failure = failure(&program, &["create"]).await;
    assert_eq!((&failure["exception"], &failure["status"]), (&"PermissionDeniedError".into(), &403.into()));
    assert_eq!((&failure["error"]["type"], &failure["requests"]), (&"permission_error".into(), &1.into()));
    assert!(failure["error"]["message"].as_str().unwrap().contains("Ask the administrator"), "{failure:#}");
    assert_eq!((app.plan().requests().len(), app.bedrock().requests().len()), (0, 0));
    app.stop().await;
}

#[tokio::test]
async fn without_bedrock_the_limit_of_the_plan_is_told() {
    let app = TestApp::start().await;
    let program = Program::of(&app, &app.issue(KeyWish::without_bedrock()).await);
    app.plan().enqueue(Reply::plan_limited(4_000_000_000));
    let failure = failure(&program, &["create", "--max-retries", "0"]).await;
    assert_eq!((&failure["exception"], &failure["status"]), (&"RateLimitError".into(), &429.into()));
    let words = failure["error"]["message"].as_str().unwrap();
    assert!(words.starts_with("The limit of this plan is reached."), "{words}");
    assert_eq!((app.plan().requests().len(), &failure["requests"]), (1, &1.into()));
    app.stop().await;
}
