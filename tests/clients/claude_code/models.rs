//! Models of an older generation: Bedrock refuses what they do not know, so it must not get there.

use claude_code_proxy::domain::Family;
use support::{Answer, KeyWish, RecordedRequest, Reply, TestApp};

use super::{ClaudeCode, RESET};
use crate::bedrock_body::{Display, assert_bridged};

const HAIKU: &str = "anthropic.claude-haiku-4-5-20251001-v1:0";
const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

/// Has a client with that model fall back to the key's model for its family, and returns what the plan and Bedrock
/// received.
async fn fallen_back(asked: &str, served: &'static str) -> (RecordedRequest, RecordedRequest) {
    let app = TestApp::start().await;
    let claude = ClaudeCode::of(&app, &app.issue(KeyWish::for_family(Family::of(asked), served)).await);
    app.plan().enqueue(Reply::plan_limited(RESET));
    app.bedrock().enqueue(Reply::bedrock_stream(&Answer::text("an answer of Bedrock").with_model(asked)));
    let report = claude.report(&["--model", asked], "say something").await;
    assert_eq!(report.text(), "an answer of Bedrock");
    let seen = (app.plan().next_request().await, app.bedrock().next_request().await);
    assert_eq!(seen.0.json()["model"], asked);
    app.stop().await;
    seen
}

/// B-01
#[tokio::test]
async fn haiku_4_5_gets_what_the_client_would_send_it_itself() {
    let (at_plan, at_bedrock) = fallen_back("claude-haiku-4-5", HAIKU).await;
    assert_eq!(at_bedrock.target, "/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke-with-response-stream");
    assert!(at_plan.json()["thinking"]["display"].is_string(), "there is something to leave out");
    assert_bridged(&at_plan, &at_bedrock, &["tool-search-tool-2025-10-19"], Display::Dropped);
}

#[tokio::test]
async fn sonnet_4_5_gets_what_the_client_would_send_it_itself() {
    let (at_plan, at_bedrock) = fallen_back("claude-sonnet-4-5", SONNET).await;
    let betas = ["interleaved-thinking-2025-05-14", "tool-search-tool-2025-10-19"];
    assert_bridged(&at_plan, &at_bedrock, &betas, Display::Dropped);
}

/// The model that serves counts, not the one that was asked for.
#[tokio::test]
async fn a_prompt_for_sonnet_4_5_is_fitted_to_the_haiku_that_serves_it() {
    let (at_plan, at_bedrock) = fallen_back("claude-sonnet-4-5", HAIKU).await;
    assert_bridged(&at_plan, &at_bedrock, &["tool-search-tool-2025-10-19"], Display::Dropped);
}

/// B-30: a key that says nothing of haiku has it served by Bedrock's haiku all the same, and not by the big model.
#[tokio::test]
async fn haiku_is_served_by_haiku() {
    let app = TestApp::start().await;
    let claude = ClaudeCode::of(&app, &app.key().await);
    app.plan().enqueue(Reply::plan_limited(RESET));
    app.bedrock().enqueue(Reply::bedrock_stream(&Answer::text("an answer of Bedrock")));
    assert_eq!(claude.report(&["--model", "haiku"], "say something").await.text(), "an answer of Bedrock");
    let asked = app.plan().next_request().await.json()["model"].as_str().unwrap().to_owned();
    assert!(asked.starts_with("claude-haiku-"), "{asked}");
    let target = app.bedrock().next_request().await.target;
    assert_eq!(target, format!("/model/global.anthropic.{asked}/invoke-with-response-stream"));
    app.stop().await;
}
