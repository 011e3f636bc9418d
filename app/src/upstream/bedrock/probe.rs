//! Asks Bedrock whether it takes a key, with a call that costs nothing: the list of inference profiles.

use std::time::Duration;

use http::StatusCode;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderValue};

use super::endpoint::Endpoints;
use crate::config::BedrockConfig;
use crate::domain::Secret;

/// Somebody waits for it, and it is a small question.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// What is read of a refusal.
const MAX_REFUSAL: usize = 4096;
/// How AWS begins to say that it knows somebody who may not do something.
const KNOWN_BUT: &str = "not authorized to perform";

/// What Bedrock says to a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It takes it.
    Taken,
    /// It does not take it: the key is wrong, over, or of another region.
    Refused,
    /// It knows the key, which may not list profiles. Whether it may call models is not known.
    NotPermitted,
    /// It says nothing about the key, being throttled or broken.
    NoWord,
    /// It was not reached, or did not answer in time.
    Unreachable,
}

/// Asks.
#[derive(Clone, Debug)]
pub struct KeyProbe {
    http: reqwest::Client,
    endpoints: Endpoints,
}

impl KeyProbe {
    /// Asks AWS's endpoints, or the configured ones.
    pub fn new(http: reqwest::Client, config: &BedrockConfig) -> Self {
        Self { http, endpoints: Endpoints::new(config) }
    }

    /// What Bedrock in a region says to a key.
    pub async fn ask(&self, region: &str, key: &Secret) -> Verdict {
        let verdict = tokio::time::timeout(ANSWERED_WITHIN, self.asked(region, key)).await;
        verdict.ok().flatten().unwrap_or(Verdict::Unreachable)
    }

    async fn asked(&self, region: &str, key: &Secret) -> Option<Verdict> {
        let base = self.endpoints.control(region).await.ok()?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose())).ok()?;
        value.set_sensitive(true);
        let request = self.http.get(format!("{base}/inference-profiles?maxResults=1"));
        let request = request.header(AUTHORIZATION, value).header(ACCEPT_ENCODING, "identity");
        let mut response = request.send().await.ok()?;
        Some(match response.status() {
            StatusCode::OK => Verdict::Taken,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let mut words = Vec::new();
                while words.len() < MAX_REFUSAL
                    && let Some(more) = response.chunk().await.ok()?
                {
                    words.extend_from_slice(&more);
                }
                let known = memchr::memmem::find(&words, KNOWN_BUT.as_bytes()).is_some();
                if known { Verdict::NotPermitted } else { Verdict::Refused }
            }
            _ => Verdict::NoWord,
        })
    }
}
