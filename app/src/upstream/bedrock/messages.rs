//! Bedrock's Messages API, `/anthropic/v1/messages`: the body of the Messages API, betas in a header, answers as JSON or
//! as server-sent events.

mod events;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::Response;

use super::bridge::Bridged;
use super::stream::events;
use super::{BedrockFailure, Events, JSON, error_body, is_message, within};
use crate::config::TimeoutConfig;
use crate::domain::Secret;
use crate::domain::bedrock_target::{BedrockTarget, check_region};
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
    endpoint_url: Option<String>,
    timeouts: TimeoutConfig,
}

impl Messages {
    /// The API at AWS's endpoints, or below another address.
    pub(super) fn new(http: reqwest::Client, endpoint_url: Option<String>, timeouts: TimeoutConfig) -> Self {
        Self { http, endpoint_url, timeouts }
    }

    /// A whole answer.
    pub(super) async fn whole(
        &self,
        target: &BedrockTarget,
        key: &Secret,
        bridged: Bridged,
    ) -> Result<Bytes, BedrockFailure> {
        let request = self.request(target, key, bridged, false)?;
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
        let request = self.request(target, key, bridged, true)?;
        let begun = async { accepted(self.http.execute(request).await?, EVENTS).await };
        let answer = within(self.timeouts.stream_first_byte, begun).await??;
        Ok(events(events::signs(answer.bytes_stream()), self.timeouts.idle))
    }

    fn request(
        &self,
        target: &BedrockTarget,
        key: &Secret,
        bridged: Bridged,
        stream: bool,
    ) -> Result<reqwest::Request, BedrockFailure> {
        let mut request = reqwest::Request::new(http::Method::POST, self.url(&target.region)?);
        *request.headers_mut() = headers(key, &bridged.betas, stream)?;
        *request.body_mut() = Some(bridged.body.into());
        Ok(request)
    }

    fn url(&self, region: &str) -> Result<reqwest::Url, BedrockFailure> {
        let unsendable = || BedrockFailure::unsendable("the region is none of AWS");
        let base = if let Some(base) = &self.endpoint_url {
            base.clone()
        } else {
            // The host decides who gets to see the key.
            check_region(region).map_err(|_| unsendable())?;
            format!("https://bedrock-runtime.{region}.amazonaws.com")
        };
        reqwest::Url::parse(&format!("{base}{PATH}")).map_err(|_| unsendable())
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_region_names_the_host_and_can_name_no_other() {
        let wait = Duration::from_secs(1);
        let timeouts = TimeoutConfig {
            connect: wait,
            stream_first_byte: wait,
            first_byte: wait,
            idle: wait,
            ping_interval: wait,
            stay: wait,
        };
        let http = crate::upstream::http_client(&timeouts).unwrap();
        let of_aws = Messages::new(http.clone(), None, timeouts);
        let url = of_aws.url("us-gov-west-1").unwrap();
        assert_eq!(url.as_str(), "https://bedrock-runtime.us-gov-west-1.amazonaws.com/anthropic/v1/messages");
        for region in ["", "us-east-1.elsewhere.example/", "x@elsewhere.example", "us-east-1#"] {
            assert!(of_aws.url(region).is_err(), "{region}");
        }
        let elsewhere = Messages::new(http, Some("http://127.0.0.1:1/bedrock".to_owned()), timeouts);
        assert_eq!(elsewhere.url("any").unwrap().as_str(), "http://127.0.0.1:1/bedrock/anthropic/v1/messages");
    }
}
