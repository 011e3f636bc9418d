//! Bedrock asked in its own words: a client's request as it came, with our credential in place of the client's.

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue};
use http::{Method, Uri};

use super::endpoint::Endpoints;
use crate::config::{BedrockConfig, TimeoutConfig};
use crate::domain::{ProviderError, Secret};
use crate::upstream::cause;
use crate::wire::headers;
use crate::wire::native_path::{NativeOperation, NativePath};

/// A request in Bedrock's format, freed of everything that concerns the proxy alone.
#[derive(Clone, Debug)]
pub struct NativeCall {
    /// What its path says.
    pub path: NativePath,
    /// The client's method.
    pub method: Method,
    /// What follows the access key: path and query as they came, beginning with a slash.
    pub path_and_query: String,
    /// The client's headers.
    pub headers: HeaderMap,
    /// The client's body, byte for byte.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NativeFailure {
    /// The region of the access key is none.
    #[error("{0}")]
    Region(String),
    /// The path cannot be sent as it came.
    #[error("the path cannot be sent as it came")]
    Path,
    /// No connection.
    #[error("Bedrock could not be reached: {0}")]
    Unreachable(String),
    /// The connection broke before the answer began.
    #[error("Bedrock broke off before its answer began: {0}")]
    Broken(String),
    /// The answer did not begin in time.
    #[error("Bedrock did not begin to answer in time")]
    FirstByteTimeout,
}

impl NativeFailure {
    /// Whether it is sure that no model ran.
    pub fn counted_nothing(&self) -> bool {
        !matches!(self, Self::Broken(_) | Self::FirstByteTimeout)
    }

    /// What the metrics call it; `None`: Bedrock was not asked.
    pub fn error(&self) -> Option<ProviderError> {
        match self {
            Self::Region(_) | Self::Path => None,
            Self::Unreachable(_) => Some(ProviderError::Unreachable),
            Self::Broken(_) => Some(ProviderError::BrokenStream),
            Self::FirstByteTimeout => Some(ProviderError::Timeout),
        }
    }

    /// Whether it says something about Bedrock as a whole, and not about the request or our settings.
    pub fn is_about_bedrock(&self) -> bool {
        !matches!(self, Self::Region(_) | Self::Path)
    }
}

/// Bedrock for clients that speak its own format.
#[derive(Clone, Debug)]
pub struct NativeBedrock {
    http: reqwest::Client,
    endpoints: Endpoints,
    timeouts: TimeoutConfig,
    max_body: usize,
}

impl NativeBedrock {
    /// Bedrock at AWS's endpoints, or at the configured ones.
    pub fn new(http: reqwest::Client, config: &BedrockConfig, timeouts: TimeoutConfig) -> Self {
        Self { http, endpoints: Endpoints::new(config), timeouts, max_body: config.max_body }
    }

    /// The largest body that Bedrock takes.
    pub fn max_body(&self) -> usize {
        self.max_body
    }

    /// Sends the request and waits for the head of the answer.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn send(&self, region: &str, key: &Secret, call: NativeCall) -> Result<reqwest::Response, NativeFailure> {
        let operation = call.path.operation;
        let base = match operation {
            NativeOperation::Profiles => self.endpoints.control(region).await,
            _ => self.endpoints.runtime(region).await,
        };
        let base = base.map_err(NativeFailure::Region)?;
        let mut request = reqwest::Request::new(call.method, url(&base, &call.path_and_query)?);
        *request.headers_mut() = headers(call.headers, operation, key);
        if *request.method() == Method::POST || !call.body.is_empty() {
            *request.body_mut() = Some(call.body.into());
        }
        let limit = self.timeouts.until_first_byte(operation == NativeOperation::InvokeStream);
        match tokio::time::timeout(limit, self.http.execute(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if error.is_connect() => Err(NativeFailure::Unreachable(cause(error))),
            Ok(Err(error)) => Err(NativeFailure::Broken(cause(error))),
            Err(_) => Err(NativeFailure::FirstByteTimeout),
        }
    }
}

/// The address, exactly as it was put together: what a URL would write otherwise is not sent at all.
fn url(base: &str, path_and_query: &str) -> Result<reqwest::Url, NativeFailure> {
    let text = format!("{base}{path_and_query}");
    let url = reqwest::Url::parse(&text).map_err(|_| NativeFailure::Path)?;
    if url.as_str() == text && text.parse::<Uri>().is_ok() { Ok(url) } else { Err(NativeFailure::Path) }
}

fn headers(mut map: HeaderMap, operation: NativeOperation, key: &Secret) -> HeaderMap {
    headers::strip_request(&mut map);
    headers::strip_credentials(&mut map);
    if operation.runs_a_model() {
        // What is compressed cannot be counted.
        map.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    // A key that cannot be a header is none, and Bedrock will say so.
    if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", key.expose())) {
        value.set_sensitive(true);
        map.insert(AUTHORIZATION, value);
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_sent_as_it_came_or_not_at_all() {
        let base = "https://bedrock-runtime.us-east-1.amazonaws.com";
        for path in ["/model/a.b-v1:0/invoke", "/model/a%3A0%2Fb/invoke?x=%20&&y", "/inference-profiles?type=A"] {
            assert_eq!(url(base, path).unwrap().as_str(), format!("{base}{path}"));
        }
        for path in ["/model/../x", "/model/%2e%2e/x", "/x?'", "/x y", "/x\\y", "/x?\u{e9}"] {
            assert!(url(base, path).is_err(), "{path}");
        }
    }
}
