//! Bedrock asked in its own words: a client's request as it came, with our credential in place of the client's.

use std::sync::Arc;

use aws_sdk_bedrockruntime::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue};
use http::{Method, Uri};

use crate::config::{BedrockConfig, TimeoutConfig};
use crate::domain::Secret;
use crate::domain::bedrock_target::check_region;
use crate::upstream::cause;
use crate::wire::headers;
use crate::wire::native_path::{NativeOperation, NativePath};

/// How the hosts of the runtime begin, and those of the control plane.
const RUNTIME: &str = "https://bedrock-runtime.";
const CONTROL: &str = "https://bedrock.";

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

    /// Whether it says something about Bedrock as a whole, and not about the request or our settings.
    pub fn is_about_bedrock(&self) -> bool {
        !matches!(self, Self::Region(_) | Self::Path)
    }
}

/// Bedrock for clients that speak its own format.
#[derive(Clone, Debug)]
pub struct NativeBedrock {
    http: reqwest::Client,
    runtime: Option<String>,
    control: Option<String>,
    resolver: Arc<DefaultResolver>,
    timeouts: TimeoutConfig,
    max_body: usize,
}

impl NativeBedrock {
    /// Bedrock at AWS's endpoints, or at the configured ones.
    pub fn new(http: reqwest::Client, config: &BedrockConfig, timeouts: TimeoutConfig) -> Self {
        let runtime = config.endpoint_url.clone();
        let control = config.control_endpoint_url.clone().or_else(|| runtime.clone());
        let resolver = Arc::new(DefaultResolver::new());
        Self { http, runtime, control, resolver, timeouts, max_body: config.max_body }
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
        let base = self.base(operation, region).await?;
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

    /// Where the operation is served: the configured address, or AWS's own for the region and its partition.
    async fn base(&self, operation: NativeOperation, region: &str) -> Result<String, NativeFailure> {
        let is_control = operation == NativeOperation::Profiles;
        if let Some(configured) = if is_control { &self.control } else { &self.runtime } {
            return Ok(configured.clone());
        }
        check_region(region).map_err(NativeFailure::Region)?;
        let parameters = Params::builder().region(region).build();
        let parameters = parameters.map_err(|error| NativeFailure::Region(error.to_string()))?;
        let endpoint = self.resolver.resolve_endpoint(&parameters).await;
        let runtime = endpoint.map_err(|error| NativeFailure::Region(error.to_string()))?.url().to_owned();
        // The control plane is beside the runtime. Only the runtime's own addresses are known to its library.
        Ok(if is_control { runtime.replacen(RUNTIME, CONTROL, 1) } else { runtime })
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
    use crate::config::{Config, Environment};

    fn bedrock(settings: &'static [(&'static str, &'static str)]) -> NativeBedrock {
        let required = [
            ("DATABASE_URL", "postgres://u:p@h/d"),
            ("KEY_HASHER_SECRET", "0123456789abcdef0123456789abcdef"),
            ("LOCAL_VAULT_KEY_FILE", "Cargo.toml"),
        ];
        let lookup = move |name: &str| {
            let found = settings.iter().chain(&required).find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let config = Config::read(Environment::new(lookup)).unwrap();
        NativeBedrock::new(crate::upstream::http_client(&config.timeouts).unwrap(), &config.bedrock, config.timeouts)
    }

    async fn bases(bedrock: &NativeBedrock, region: &str) -> [String; 2] {
        let runtime = bedrock.base(NativeOperation::Invoke, region).await.unwrap();
        [runtime, bedrock.base(NativeOperation::Profiles, region).await.unwrap()]
    }

    #[tokio::test]
    async fn every_partition_has_its_addresses() {
        let bedrock = bedrock(&[]);
        for (region, suffix) in [
            ("us-east-1", "amazonaws.com"),
            ("us-gov-west-1", "amazonaws.com"),
            ("cn-north-1", "amazonaws.com.cn"),
            ("us-iso-east-1", "c2s.ic.gov"),
            ("eu-isoe-west-1", "cloud.adc-e.uk"),
        ] {
            let expected =
                [format!("https://bedrock-runtime.{region}.{suffix}"), format!("https://bedrock.{region}.{suffix}")];
            assert_eq!(bases(&bedrock, region).await, expected);
        }
        let refused = bedrock.base(NativeOperation::Invoke, "us-east-1.evil.example/").await;
        assert!(matches!(refused, Err(NativeFailure::Region(_))), "{refused:?}");
    }

    #[tokio::test]
    async fn configured_addresses_come_first_and_one_is_enough() {
        let one = bedrock(&[("BEDROCK_ENDPOINT_URL", "http://127.0.0.1:1/")]);
        assert_eq!(bases(&one, "us-east-1").await, ["http://127.0.0.1:1", "http://127.0.0.1:1"]);
        let both = bedrock(&[
            ("BEDROCK_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("BEDROCK_CONTROL_ENDPOINT_URL", "http://127.0.0.1:2"),
        ]);
        assert_eq!(bases(&both, "us-east-1").await, ["http://127.0.0.1:1", "http://127.0.0.1:2"]);
    }

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
