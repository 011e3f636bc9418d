//! Anthropic's library for Python, used as programs use it behind the proxy.

mod answers;
mod errors;
mod native;

use serde_json::Value;
use support::evidence::secret;
use support::{IssuedKey, TestApp};

use crate::program;

/// A program with an API key for the plan, and the access key in its base URL.
#[derive(Debug)]
struct Program {
    base_url: String,
    /// Its own credential.
    api_key: String,
}

impl Program {
    fn of(app: &TestApp, key: &IssuedKey) -> Self {
        Self::with_key(app, &key.text)
    }

    /// With whatever its author takes for a key.
    fn with_key(app: &TestApp, key: &str) -> Self {
        let api_key = secret(format!("sk-ant-api03-{}", uuid::Uuid::new_v4().simple()));
        Self { base_url: format!("{}/ak/{key}", app.url()), api_key }
    }

    /// Runs `sdk.py` and returns the lines that it printed.
    async fn run(&self, arguments: &[&str]) -> Vec<Value> {
        let script = xtask::workspace::root().join("tests/clients/sdk.py");
        let printed = program::run("python", "PYTHON_BIN", |command| {
            command
                .arg(script)
                .args(arguments)
                .env("ANTHROPIC_BASE_URL", &self.base_url)
                .env("ANTHROPIC_API_KEY", &self.api_key)
                .env("ANTHROPIC_BEDROCK_BASE_URL", &self.base_url)
                .env("AWS_BEARER_TOKEN_BEDROCK", &self.api_key)
                .env("AWS_REGION", "us-east-1");
        })
        .await;
        assert!(printed.status.success(), "{printed:#?}");
        printed.json_lines()
    }
}
