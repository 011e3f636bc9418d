//! Claude Code in its Bedrock mode, pointed at the proxy: it speaks Bedrock's own format from the first request on.

use claude_code_proxy::domain::RoutingStrategy;
use serde_json::Value;
use support::evidence::secret;
use support::{Answer, IssuedKey, KeyWish, RecordedRequest, Reply, TestApp, Usage};

use super::Report;
use super::tools::{ALLOWED, assert_hello_was_said, assert_thought_is_untouched, says_hello};
use crate::program;
use crate::usage::{self, Row};

const MODEL: &str = "us.anthropic.claude-opus-5-5";
const TOKENS: Usage =
    Usage { input: 3, output: 550, cache_read: 40, cache_creation_5m: 304, cache_creation_1h: 12_000 };

/// Where the access key stands.
#[derive(Clone, Copy, Debug)]
enum KeyIn {
    /// In the base URL, beside a token that Bedrock shall never see.
    Url,
    /// The same, and nothing that looks like a credential of AWS.
    UrlAlone,
    /// In place of the token.
    Token,
}

/// Runs Claude Code as a developer does who has set it up for Bedrock.
async fn report(app: &TestApp, key: &IssuedKey, key_in: KeyIn, options: &[&str], prompt: &str) -> (Report, String) {
    let dummy = secret(format!("bedrock-api-key-{}", uuid::Uuid::new_v4().simple()));
    let (base, token) = match key_in {
        KeyIn::Url | KeyIn::UrlAlone => (format!("{}/ak/{}", app.url(), key.text), dummy.clone()),
        KeyIn::Token => (app.url(), key.text.clone()),
    };
    let printed = program::run("claude-bedrock", "CLAUDE_BIN", |command| {
        command
            .args(["-p", prompt, "--model", MODEL, "--output-format", "stream-json", "--verbose"])
            .args(options)
            .env("CLAUDE_CODE_USE_BEDROCK", "1")
            .env("ANTHROPIC_BEDROCK_BASE_URL", base)
            .env("AWS_REGION", "us-east-1")
            // In this mode it repeats even a final answer, ten times in three minutes.
            .env("CLAUDE_CODE_MAX_RETRIES", "1")
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("DISABLE_AUTOUPDATER", "1");
        match key_in {
            KeyIn::UrlAlone => command.env("CLAUDE_CODE_SKIP_BEDROCK_AUTH", "1"),
            KeyIn::Url | KeyIn::Token => command.env("AWS_BEARER_TOKEN_BEDROCK", token),
        };
    })
    .await;
    (Report { lines: printed.json_lines(), printed }, dummy)
}

/// Answers what the client asks besides: which profiles there are, and whether its models answer.
fn prepare(app: &TestApp) {
    app.bedrock().otherwise(|request| match request.path().rsplit('/').next() {
        Some("inference-profiles") => Reply::json(200, r#"{"inferenceProfileSummaries":[]}"#),
        Some("invoke") => Reply::bedrock_json(&Answer::text("ok").with_id("msg_bdrk_probe")),
        Some("invoke-with-response-stream") => {
            let answer = if String::from_utf8_lossy(&request.body).contains("\"tool_result\"") {
                Answer::text("It said hello.").with_id("msg_bdrk_02")
            } else {
                says_hello()
                    .with_thinking("First think.", "EqQBCkYIBxgCKkA+aGVsbG8/d29ybGQ+Zm9vL2Jhcg==")
                    .with_id("msg_bdrk_01")
            };
            Reply::bedrock_stream(&answer.with_usage(TOKENS))
        }
        _ => Reply::new(404),
    });
}

/// The turns among the requests, and what else there was.
fn turns(app: &TestApp) -> (Vec<RecordedRequest>, Vec<RecordedRequest>) {
    app.bedrock().requests().into_iter().partition(|request| request.path().ends_with("/invoke-with-response-stream"))
}

/// A turn with a tool, with the key in every place: Bedrock gets what the client says, with the credential of the key,
/// and every call of a model is a row.
#[tokio::test]
async fn a_turn_with_a_tool_passes_and_is_counted() {
    for key_in in [KeyIn::Url, KeyIn::UrlAlone, KeyIn::Token] {
        let app = TestApp::start().await;
        let key = app.key().await;
        prepare(&app);
        let (report, dummy) = report(&app, &key, key_in, ALLOWED, "say hello").await;
        assert_eq!((report.text(), report.retries().len()), ("It said hello.", 0), "{key_in:?}");
        let told = &report.result()["usage"];
        assert_eq!((&told["input_tokens"], &told["output_tokens"]), (&6.into(), &1100.into()));

        let (turns, others) = turns(&app);
        let [first, second] = &turns[..] else { panic!("{turns:#?}") };
        assert_hello_was_said(second);
        assert_thought_is_untouched(second, "First think.");
        for turn in [first, second] {
            assert_eq!(turn.target, format!("/model/{MODEL}/invoke-with-response-stream"));
            assert_eq!(turn.json()["anthropic_version"], "bedrock-2023-05-31");
            assert!(turn.json().get("model").is_none() && turn.json()["anthropic_beta"].is_array());
        }
        let asked: Vec<&str> = others.iter().map(RecordedRequest::path).collect();
        assert!(asked.contains(&"/inference-profiles") || matches!(key_in, KeyIn::UrlAlone), "{asked:?}");
        let bearer = format!("Bearer {}", key.bedrock_key.as_ref().unwrap());
        for request in turns.iter().chain(&others) {
            assert_eq!(request.header_values("authorization"), [bearer.as_str()]);
            let everything = format!("{request:?}");
            assert!(!everything.contains(&dummy) && !everything.contains(&key.text));
        }
        assert_eq!(app.plan().requests().len(), 0);

        let calls = others.iter().filter(|request| request.path().ends_with("/invoke")).count();
        let session_id = report.result()["session_id"].as_str().unwrap().to_owned();
        let around = app.stop().await;
        let (probes, rows): (Vec<Row>, Vec<Row>) = usage::rows(&around.database)
            .await
            .into_iter()
            .partition(|row| row.upstream_message_id.as_deref() == Some("msg_bdrk_probe"));
        assert_eq!(probes.len(), calls, "{probes:#?}");
        let row = |id: &str| Row {
            user_id: key.user_id,
            access_key_id: key.id,
            model: MODEL.to_owned(),
            upstream_model: MODEL.to_owned(),
            upstream_message_id: Some(id.to_owned()),
            input_tokens: 3,
            output_tokens: 550,
            cache_read_input_tokens: 40,
            cache_creation_5m_tokens: 304,
            cache_creation_1h_tokens: 12_000,
            total_tokens: 12_897,
            is_fallback: false,
            outcome: "completed".to_owned(),
            session_id: Some(session_id.clone()),
        };
        assert_eq!(rows, [row("msg_bdrk_01"), row("msg_bdrk_02")]);
    }
}

/// Who has a wrong key, or may not use Bedrock, reads the words of the proxy.
#[tokio::test]
async fn a_refusal_of_the_proxy_is_told_to_the_developer() {
    let app = TestApp::start().await;
    let plan_only = app.issue(KeyWish::routed(RoutingStrategy::PlanOnly)).await;
    let unknown = IssuedKey { text: "ak_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG".to_owned(), ..plan_only.clone() };
    for (key, expected) in [(unknown, "Ask the administrator"), (plan_only, "Unset CLAUDE_CODE_USE_BEDROCK")] {
        let (report, _) = report(&app, &key, KeyIn::Url, &["--bare"], "say hello").await;
        assert_eq!((report.printed.status.code(), &report.result()["is_error"]), (Some(1), &Value::Bool(true)));
        let words = report.result()["result"].as_str().unwrap();
        assert!(words.contains("403") && words.contains(expected), "{words}");
    }
    assert_eq!((app.plan().requests().len(), app.bedrock().requests().len()), (0, 0));
    app.stop().await;
}
