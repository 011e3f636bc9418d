//! Bedrock's Messages API, `/anthropic/v1/messages`: the body of the Messages API, betas in a header, answers as JSON or
//! as server-sent events.

mod events;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::Response;

use super::bridge::Bridged;
use super::endpoint::Endpoints;
use super::stream::events;
use super::{BedrockFailure, Events, JSON, error_body, is_message, within};
use crate::config::TimeoutConfig;
use crate::domain::BedrockTarget;
use crate::domain::Secret;
use crate::wire::headers::{ANTHROPIC_BETA, API_KEY};

const PATH: &str = "/anthropic/v1/messages";
const EVENTS: &str = "text/event-stream";
/// The header that names the version of the Messages API, and the version that this proxy speaks.
const VERSION: (&str, HeaderValue) = ("anthropic-version", HeaderValue::from_static("2023-06-01"));

/// Largest whole answer; models write a few megabytes at the most.
const LARGEST_ANSWER: usize = 32 << 20;
/// What is read of the body of an error, which is a sentence or two.
const LARGEST_ERROR: usize = 64 << 10;
/// How long the body of an error may take.
const ERROR_BODY_WITHIN: Duration = Duration::from_secs(5);

/// The Messages API of Bedrock, in every region.
#[derive(Clone, Debug)]
pub(super) struct Messages {
    http: reqwest::Client,
    endpoints: Endpoints,
    timeouts: TimeoutConfig,
}

impl Messages {
    /// The API at AWS's endpoints, or below another address.
    pub(super) fn new(http: reqwest::Client, endpoints: Endpoints, timeouts: TimeoutConfig) -> Self {
        Self { http, endpoints, timeouts }
    }

    /// A whole answer.
    pub(super) async fn whole(
        &self,
        target: &BedrockTarget,
        key: &Secret,
        bridged: Bridged,
    ) -> Result<Bytes, BedrockFailure> {
        let request = self.request(target, key, bridged, false).await?;
        within(self.timeouts.first_byte, async {
            let answer = accepted(self.http.execute(request).await?, JSON).await?;
            let headers = answer.headers().clone();
            let body = read(answer, LARGEST_ANSWER).await?;
            // Some errors of AWS come with status 200.
            if is_message(&body) { Ok(body) } else { Err(error_body::of_answer(200, &headers, &body)) }
        })
        .await?
    }

    /// An answer as it comes.
    pub(super) async fn stream(
        &self,
        target: &BedrockTarget,
        key: &Secret,
        bridged: Bridged,
    ) -> Result<Events, BedrockFailure> {
        let request = self.request(target, key, bridged, true).await?;
        let begun = async { accepted(self.http.execute(request).await?, EVENTS).await };
        let answer = within(self.timeouts.stream_first_byte, begun).await??;
        Ok(events(events::signs(answer.bytes_stream()), self.timeouts.idle))
    }

    async fn request(
        &self,
        target: &BedrockTarget,
        key: &Secret,
        bridged: Bridged,
        stream: bool,
    ) -> Result<reqwest::Request, BedrockFailure> {
        let mut request = reqwest::Request::new(http::Method::POST, self.url(&target.region).await?);
        *request.headers_mut() = headers(key, &bridged.betas, stream)?;
        *request.body_mut() = Some(bridged.body.into());
        Ok(request)
    }

    async fn url(&self, region: &str) -> Result<reqwest::Url, BedrockFailure> {
        // The host decides who gets to see the key.
        let base = self.endpoints.runtime(region).await;
        let url = base.ok().and_then(|base| reqwest::Url::parse(&format!("{base}{PATH}")).ok());
        url.ok_or_else(|| BedrockFailure::unsendable("the region is none of AWS"))
    }
}

/// What Bedrock is told beside the body. Nothing of the client's headers is in it.
fn headers(key: &Secret, betas: &[String], stream: bool) -> Result<HeaderMap, BedrockFailure> {
    let value = |text: &str, what| HeaderValue::from_str(text).map_err(|_| BedrockFailure::unsendable(what));
    let mut key = value(key.expose(), "the key cannot be a header")?;
    key.set_sensitive(true);
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static(JSON)),
        (ACCEPT, HeaderValue::from_static(if stream { EVENTS } else { JSON })),
        (API_KEY, key),
    ]);
    headers.insert(VERSION.0, VERSION.1);
    if !betas.is_empty() {
        headers.insert(ANTHROPIC_BETA, value(&betas.join(","), "a beta cannot be a header")?);
    }
    Ok(headers)
}

/// An answer of that kind, or why it is none: an error is read, and everything else that AWS or something before it may
/// say (a redirect, a page, another encoding of events) is refused unread.
async fn accepted(answer: Response, wanted: &str) -> Result<Response, BedrockFailure> {
    let status = answer.status().as_u16();
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if status == 200 && kind == wanted {
        return Ok(answer);
    }
    if status < 400 && (status != 200 || kind != JSON) {
        tracing::warn!(status, wanted, "Bedrock answered with something else");
        return Err(BedrockFailure::invalid_answer());
    }
    let headers = answer.headers().clone();
    let body = tokio::time::timeout(ERROR_BODY_WITHIN, read(answer, LARGEST_ERROR)).await;
    // Where the body does not come, the status says enough.
    Err(error_body::of_answer(status, &headers, &body.unwrap_or(Ok(Bytes::new())).unwrap_or_default()))
}

async fn read(mut answer: Response, limit: usize) -> Result<Bytes, BedrockFailure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(BedrockFailure::invalid_answer());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
