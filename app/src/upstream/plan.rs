//! Sends a request to the plan exactly as it came, and hands back the answer before its body.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use http::{Method, StatusCode, Uri};

use crate::config::{Live, PlanConfig, TimeoutConfig};
use crate::domain::{FallbackReason, Secret};
use crate::upstream::cause;
use crate::wire::headers;

/// A request on its way to a provider, freed of everything that concerns the proxy alone.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The client's method.
    pub method: Method,
    /// What follows the access key: path and query as they came, beginning with a slash. Sending percent-encodes the few
    /// characters that no URL may hold, such as a quote.
    pub path_and_query: String,
    /// The client's headers.
    pub headers: HeaderMap,
    /// The client's body, byte for byte.
    pub body: Bytes,
    /// Whether a stream was asked for.
    pub stream: bool,
}

/// The key for requests that bring no credential of their own, as a header; it may be another one at any time.
pub type PlanKey = Live<Option<HeaderValue>>;

/// A key as a header.
///
/// # Errors
/// When it has characters that no header may have.
pub fn key_header(key: &Secret) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(key.expose())?;
    value.set_sensitive(true);
    Ok(value)
}

/// The plan as an upstream.
#[derive(Clone, Debug)]
pub struct Plan {
    clients: Arc<[reqwest::Client]>,
    turn: Arc<AtomicUsize>,
    base_url: String,
    /// The URLs of [`USUAL`], which are not read again for each request.
    usual: Arc<[Option<reqwest::Url>]>,
    default_key: PlanKey,
    timeouts: TimeoutConfig,
}

/// What nearly every request asks for.
const USUAL: [&str; 3] = ["/v1/messages?beta=true", "/v1/messages", "/v1/messages/count_tokens?beta=true"];

/// Why there is no answer of the plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanFailure {
    /// The path cannot be part of a URL.
    #[error("the path cannot be sent to the plan")]
    Path,
    /// No connection, or it broke before the answer began; the text names no URL, for that may hold a key.
    #[error("the plan could not be reached: {0}")]
    Unreachable(String),
    /// It did not begin to answer in time.
    #[error("the plan did not begin to answer in time")]
    FirstByteTimeout,
}

impl PlanFailure {
    /// What the failure means for the way of the request; `None` where the request itself is at fault.
    pub fn reason(&self) -> Option<FallbackReason> {
        match self {
            Self::Path => None,
            Self::Unreachable(_) => Some(FallbackReason::Unreachable),
            Self::FirstByteTimeout => Some(FallbackReason::FirstByteTimeout),
        }
    }
}

impl Plan {
    /// A plan at the configured address, asked through these clients in turn; there is at least one.
    ///
    /// # Errors
    /// When the default key cannot be a header.
    pub fn new(
        clients: Vec<reqwest::Client>,
        config: &PlanConfig,
        timeouts: TimeoutConfig,
    ) -> Result<Self, http::header::InvalidHeaderValue> {
        let default_key = Live::new(config.default_key.as_ref().map(key_header).transpose()?);
        let (clients, turn, base_url) = (clients.into(), Arc::default(), config.base_url.clone());
        let usual = USUAL.iter().map(|usual| url(&base_url, usual).ok()).collect();
        Ok(Self { clients, turn, base_url, usual, default_key, timeouts })
    }

    /// The default key, for whoever follows where it comes from.
    pub fn default_key(&self) -> PlanKey {
        self.default_key.clone()
    }

    /// Whether the plan can be asked with these headers: they bring a credential, or there is a default key.
    pub fn has_credential_for(&self, headers: &HeaderMap) -> bool {
        headers::has_credential(headers) || self.default_key.current().is_some()
    }

    /// The credential that the plan will see, if any; it identifies whose limits apply and is only ever hashed.
    pub fn credential_for(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let own = headers.get(http::header::AUTHORIZATION).or_else(|| headers.get(headers::API_KEY));
        own.cloned().or_else(|| self.default_key.current().as_ref().clone())
    }

    /// Sends the request and waits for the head of the answer.
    ///
    /// # Errors
    /// When no answer comes.
    pub async fn send(&self, exchange: &Exchange) -> Result<reqwest::Response, PlanFailure> {
        let usual =
            USUAL.iter().position(|usual| *usual == exchange.path_and_query).and_then(|at| self.usual[at].clone());
        let url = usual.map_or_else(|| url(&self.base_url, &exchange.path_and_query), Ok)?;
        let mut request = reqwest::Request::new(exchange.method.clone(), url);
        let (headers, with_default_key) = self.headers(exchange);
        *request.headers_mut() = headers;
        if !exchange.body.is_empty() || exchange.headers.contains_key(http::header::CONTENT_TYPE) {
            *request.body_mut() = Some(exchange.body.clone().into());
        }
        let limit = self.timeouts.until_first_byte(exchange.stream);
        match tokio::time::timeout(limit, self.client().execute(request)).await {
            Ok(Ok(response)) => {
                if with_default_key && response.status() == StatusCode::UNAUTHORIZED {
                    self.default_key.doubt();
                }
                Ok(response)
            }
            Ok(Err(error)) => Err(PlanFailure::Unreachable(cause(error))),
            Err(_) => Err(PlanFailure::FirstByteTimeout),
        }
    }

    fn client(&self) -> &reqwest::Client {
        &self.clients[self.turn.fetch_add(1, Ordering::Relaxed) % self.clients.len()]
    }

    /// The headers that the plan gets, and whether the default key is in them.
    fn headers(&self, exchange: &Exchange) -> (HeaderMap, bool) {
        let mut map = exchange.headers.clone();
        headers::strip_request(&mut map);
        if exchange.stream {
            // A stream must stay readable for whoever has to look at its events.
            map.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if headers::has_credential(&map) {
            return (map, false);
        }
        let default_key = self.default_key.current();
        if let Some(key) = default_key.as_ref() {
            map.insert(headers::API_KEY, key.clone());
        }
        (map, default_key.is_some())
    }
}

fn url(base_url: &str, path_and_query: &str) -> Result<reqwest::Url, PlanFailure> {
    // `Url` resolves dot segments, which would lead out of what the client asked for.
    let path = path_and_query.split('?').next().unwrap_or_default();
    let dotted = path.split(['/', '\\']).any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    });
    let text = format!("{base_url}{path_and_query}");
    if dotted || text.parse::<Uri>().is_err() {
        return Err(PlanFailure::Path);
    }
    reqwest::Url::parse(&text).map_err(|_| PlanFailure::Path)
}
