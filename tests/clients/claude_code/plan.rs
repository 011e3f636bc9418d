//! Prompts that the plan answers: the proxy is not to be noticed, from either side.

use support::{Answer, Reply, TestApp};

use super::ClaudeCode;
use crate::usage;

#[tokio::test]
async fn a_bare_prompt_is_answered_by_the_plan() {
    let app = TestApp::start().await;
    let claude = ClaudeCode::of(&app, &app.key().await);
    app.plan().enqueue(Reply::plan_stream(&Answer::text("an answer of the plan")));
    let printed = claude.print(&["--bare"], "say something").await;
    assert!(printed.status.success(), "{printed:?}");
    assert_eq!((printed.stdout.as_str(), printed.stderr.as_str()), ("an answer of the plan\n", ""));
    assert_eq!((app.plan().requests().len(), app.bedrock().requests().len()), (1, 0));
    let around = app.stop().await;
    assert_eq!(usage::rows(&around.database).await, [], "the plan's answers are no usage of Bedrock");
}

/// B-58
#[tokio::test]
async fn a_full_prompt_reaches_the_plan_with_all_that_the_client_sends() {
    let app = TestApp::start().await;
    let key = app.key().await;
    let claude = ClaudeCode::of(&app, &key);
    app.plan().enqueue(Reply::plan_stream(&Answer::text("an answer of the plan")));
    let report = claude.report(&[], "say something").await;
    assert_eq!(report.text(), "an answer of the plan");

    let seen = app.plan().next_request().await;
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/v1/messages?beta=true"));
    assert_eq!((seen.header("x-api-key"), seen.header("authorization")), (Some(claude.api_key.as_str()), None));
    assert_eq!(seen.header("x-claude-code-session-id"), report.result()["session_id"].as_str());
    let everything = format!("{:?} {}", seen.headers, String::from_utf8_lossy(&seen.body));
    assert!(!everything.contains(&key.text), "the access key is ours alone");
    let betas: Vec<&str> = seen.header("anthropic-beta").unwrap().split(',').collect();
    for beta in ["claude-code-20250219", "context-management-2025-06-27", "advanced-tool-use-2025-11-20"] {
        assert!(betas.contains(&beta), "{betas:?}");
    }

    let body = seen.json();
    let fields: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "model",
        "messages",
        "system",
        "tools",
        "metadata",
        "max_tokens",
        "thinking",
        "context_management",
        "output_config",
        "stream",
    ];
    expected.sort_unstable();
    assert_eq!(fields, expected);
    assert!(seen.body.len() > 40_000, "a full prompt has {} bytes", seen.body.len());
    // What proxies with a narrow idea of the Messages API lose.
    assert!(body["messages"].as_array().unwrap().iter().any(|message| message["role"] == "system"));
    assert!(body["tools"].as_array().unwrap().iter().any(|tool| tool["defer_loading"] == true));
    app.stop().await;
}
