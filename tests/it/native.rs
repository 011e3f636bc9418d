//! Clients that speak Bedrock's own format: what they send and get is what passes, and what they use is counted.

mod answers;
mod metering;
mod refusals;
mod requests;

use reqwest::{Method, RequestBuilder};
use support::evidence::secret;
use support::{Answer, Got, IssuedKey, TestApp, TestDatabase, Usage, http_client};

const MODEL: &str = "us.anthropic.claude-opus-5-5";

/// A developer's client in Bedrock's format, with credentials of its own for AWS, which nobody else shall see.
#[derive(Clone, Debug)]
struct Developer {
    http: reqwest::Client,
    base: String,
    /// The client's own bearer token.
    token: String,
    /// What it asks.
    body: String,
}

impl Developer {
    /// With the key in the base URL.
    fn of(app: &TestApp, key: &IssuedKey) -> Self {
        Self::at(format!("{}/ak/{}", app.url(), key.text))
    }

    fn at(base: String) -> Self {
        let token = secret(format!("bedrock-api-key-{}", uuid::Uuid::new_v4().simple()));
        let prompt = secret(format!("what is {}?", uuid::Uuid::new_v4().simple()));
        let body = format!(
            r#"{{"anthropic_version":"bedrock-2023-05-31", "max_tokens":6.4e1,"messages":[{{"role":"user","content":"{prompt}"}}],"a_field_of_tomorrow":1.0}}"#
        );
        Self { http: http_client(), base, token, body }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    /// A call of [`MODEL`]; the operation is the last part of its path.
    fn call(&self, operation: &str) -> RequestBuilder {
        let request = self.request(Method::POST, &format!("/model/{MODEL}/{operation}"));
        request.header("content-type", "application/json").body(self.body.clone())
    }

    fn invoke(&self) -> RequestBuilder {
        self.call("invoke")
    }

    fn stream(&self) -> RequestBuilder {
        self.call("invoke-with-response-stream")
    }
}

async fn app_and_developer() -> (TestApp, Developer, IssuedKey) {
    let app = TestApp::start().await;
    let key = app.key().await;
    let developer = Developer::of(&app, &key);
    (app, developer, key)
}

/// An error in AWS's shape: status, exception, and whether trying again is of use.
fn exception(got: &Got) -> (u16, &str, &str) {
    assert!(got.json()["message"].is_string() && got.json().get("error").is_none(), "{:?}", got.body);
    assert!(!got.header("x-ccp-request-id").is_empty());
    (got.status, got.header("x-amzn-errortype"), got.header("x-should-retry"))
}

/// An answer with tokens of every kind.
fn billed() -> Answer {
    let usage = Usage { input: 3, output: 550, cache_read: 40, cache_creation_5m: 304, cache_creation_1h: 12_000 };
    Answer::text("Grüße an alle").with_id("msg_of_bedrock").with_usage(usage)
}

/// Outcome, input, output and all tokens of the rows that are there, oldest first.
async fn counted(database: &TestDatabase) -> Vec<(String, i32, i32, i32)> {
    sqlx::query_as("SELECT outcome, input_tokens, output_tokens, total_tokens FROM token_usage ORDER BY timestamp")
        .fetch_all(&database.pool)
        .await
        .unwrap()
}
