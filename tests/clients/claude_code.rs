//! Claude Code itself, started as developers start it behind the proxy.

mod chaos;
mod context;
mod errors;
mod fallback;
mod models;
mod native;
mod plan;
mod streams;
mod tools;

use serde_json::Value;
use support::evidence::secret;
use support::{IssuedKey, RecordedRequest, TestApp};

use crate::program::{self, Printed};

/// When a limited plan is back: long after every test.
const RESET: u64 = 4_000_000_000;

/// A developer's Claude Code, with an API key for the plan, and the access key in its base URL.
#[derive(Debug)]
struct ClaudeCode {
    base_url: String,
    /// The developer's own credential.
    api_key: String,
    /// Whether a helper hands out a new one for every request.
    changing: bool,
}

/// What Claude Code has reported, one JSON object a line.
#[derive(Debug)]
struct Report {
    lines: Vec<Value>,
    /// The same as it was printed.
    printed: Printed,
}

impl ClaudeCode {
    fn of(app: &TestApp, key: &IssuedKey) -> Self {
        Self::with_key(app, &key.text)
    }

    /// Claude Code with whatever its developer takes for a key.
    fn with_key(app: &TestApp, key: &str) -> Self {
        let api_key = secret(format!("sk-ant-api03-{}", uuid::Uuid::new_v4().simple()));
        Self { base_url: format!("{}/ak/{key}", app.url()), api_key, changing: false }
    }

    /// The same with a helper that hands out a new credential for every request.
    fn with_a_login_for_each_request(self) -> Self {
        Self { changing: true, ..self }
    }

    /// Has it answer a prompt, and returns what a developer would read.
    async fn print(&self, options: &[&str], prompt: &str) -> Printed {
        program::run("claude", "CLAUDE_BIN", |command| {
            command
                .args(["-p", prompt])
                .args(options)
                .env("ANTHROPIC_BASE_URL", &self.base_url)
                .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
                .env("DISABLE_AUTOUPDATER", "1");
            if self.changing {
                // `$$` is the process id of the helper's shell.
                let settings = serde_json::json!({ "apiKeyHelper": format!("echo {}-$$", self.api_key) });
                command.args(["--settings", &settings.to_string()]).env("CLAUDE_CODE_API_KEY_HELPER_TTL_MS", "1");
            } else {
                command.env("ANTHROPIC_API_KEY", &self.api_key);
            }
        })
        .await
    }

    /// Has it answer a prompt, and returns its report with retries, ids and usage.
    async fn report(&self, options: &[&str], prompt: &str) -> Report {
        let options = [options, &["--output-format", "stream-json", "--verbose"]].concat();
        let printed = self.print(&options, prompt).await;
        Report { lines: printed.json_lines(), printed }
    }
}

impl Report {
    /// The last line, which sums up.
    fn result(&self) -> &Value {
        let result = self.lines.last().filter(|line| line["type"] == "result");
        result.unwrap_or_else(|| panic!("no result in {:#?}", self.printed))
    }

    /// The final text, of a run that went well.
    fn text(&self) -> &str {
        let result = self.result();
        assert_eq!((self.printed.status.code(), &result["is_error"]), (Some(0), &Value::Bool(false)), "{result:#}");
        result["result"].as_str().unwrap()
    }

    /// The requests that it says it has repeated after an error.
    fn retries(&self) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["subtype"] == "api_retry").collect()
    }
}

/// All content blocks of a type in the messages of a request.
fn blocks(request: &RecordedRequest, kind: &str) -> Vec<Value> {
    let body = request.json();
    let contents = body["messages"].as_array().unwrap().iter().filter_map(|message| message["content"].as_array());
    contents.flatten().filter(|block| block["type"] == kind).cloned().collect()
}
