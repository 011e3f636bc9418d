//! Amazon Bedrock as an upstream: `InvokeModel` and `InvokeModelWithResponseStream`, or its Messages API, with the key of
//! the access key.

mod betas;
pub mod bridge;
pub mod capabilities;
pub mod count_tokens;
pub mod diagnose;
mod endpoint;
mod error_body;
mod failure;
pub mod frames;
mod generation;
mod learned;
mod messages;
pub mod native;
pub mod probe;
pub mod stream;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::retry::RetryConfig;
use aws_sdk_bedrockruntime::config::{BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig, Token};
use aws_sdk_bedrockruntime::primitives::Blob;
use bytes::Bytes;
use futures_util::Stream;

pub use failure::BedrockFailure;
pub use learned::LearnedCapabilities;
pub use stream::{Event, EventError, EventKind};

use crate::aws::ReqwestConnector;
use crate::config::{BedrockConfig, TimeoutConfig};
use crate::domain::{BedrockTarget, Dialect, Refusal, Secret};
use crate::wire::json;
use bridge::{Bridged, Rules};
use capabilities::{Capabilities, TableError};
use endpoint::Endpoints;
use messages::Messages;

const JSON: &str = "application/json";

/// Bedrock as an upstream. One client of the SDK serves every region and key; both are set per call.
#[derive(Clone, Debug)]
pub struct Bedrock {
    client: Client,
    messages: Messages,
    dialect: Dialect,
    max_body: usize,
    timeouts: TimeoutConfig,
    capabilities: Arc<Capabilities>,
}

/// The events of a streamed answer as the SDK decodes them.
pub type RawEvents = aws_sdk_bedrockruntime::primitives::event_stream::EventReceiver<
    aws_sdk_bedrockruntime::types::ResponseStream,
    aws_sdk_bedrockruntime::types::error::ResponseStreamError,
>;

/// The events of a streamed answer as they come.
pub type Events = Pin<Box<dyn Stream<Item = Result<Event, EventError>> + Send>>;

impl Bedrock {
    /// Bedrock at AWS's endpoints, or at the configured one.
    ///
    /// # Errors
    /// When the table of capabilities cannot be used.
    pub fn new(http: reqwest::Client, config: &BedrockConfig, timeouts: TimeoutConfig) -> Result<Self, TableError> {
        let mut builder = aws_sdk_bedrockruntime::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(ReqwestConnector::new(http.clone()).into_client())
            // Retries are the proxy's own decision: the SDK's would hide throttling and take time nobody counted.
            .retry_config(RetryConfig::disabled())
            // A model may think in silence; the proxy has its own idle time-out.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // The token comes with each call, so there is nothing to cache; a cache would grow by an entry a call.
            .identity_cache(IdentityCache::no_cache());
        builder.set_endpoint_url(config.endpoint_url.clone());
        let capabilities = Arc::new(Capabilities::load(config.capabilities_file.as_deref())?);
        let client = Client::from_conf(builder.build());
        let messages = Messages::new(http, Endpoints::new(config), timeouts);
        Ok(Self { client, messages, dialect: config.dialect, max_body: config.max_body, timeouts, capabilities })
    }

    /// Which of its interfaces is spoken.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The rules by which bodies for a model are bridged.
    pub fn rules<'r>(&'r self, model: &'r str, refusals: &'r [Refusal], dialect: Dialect) -> Rules<'r> {
        let table = &*self.capabilities;
        Rules { model, table, row: table.row(model), refusals, dialect }
    }

    /// Whether Bedrock takes a body of that size.
    pub fn takes(&self, body_bytes: usize) -> bool {
        body_bytes <= self.max_body
    }

    /// Calls the model and waits for the whole answer; the body is one that was bridged by [`Self::rules`].
    ///
    /// # Errors
    /// When Bedrock refuses, fails, or does not answer in time.
    pub async fn invoke(
        &self,
        target: &BedrockTarget,
        key: &Secret,
        bridged: Bridged,
    ) -> Result<Bytes, BedrockFailure> {
        if self.dialect == Dialect::Messages {
            return self.messages.whole(target, key, bridged).await;
        }
        let call = self
            .client
            .invoke_model()
            .model_id(&target.model)
            .content_type(JSON)
            .accept(JSON)
            .body(Blob::new(bridged.body));
        let call = call.customize().config_override(per_call(target, key)).send();
        let answer = within(self.timeouts.first_byte, call).await??;
        let body = Bytes::from(answer.body.into_inner());
        // Some errors of AWS come with status 200.
        if is_message(&body) { Ok(body) } else { Err(BedrockFailure::invalid_answer()) }
    }

    /// Calls the model and waits until its answer begins; the body is one that was bridged by [`Self::rules`].
    ///
    /// # Errors
    /// When Bedrock refuses, fails, or does not begin to answer in time.
    pub async fn invoke_stream(
        &self,
        target: &BedrockTarget,
        key: &Secret,
        bridged: Bridged,
    ) -> Result<Events, BedrockFailure> {
        if self.dialect == Dialect::Messages {
            return self.messages.stream(target, key, bridged).await;
        }
        let call = self
            .client
            .invoke_model_with_response_stream()
            .model_id(&target.model)
            .content_type(JSON)
            .accept(JSON)
            .body(Blob::new(bridged.body));
        let call = call.customize().config_override(per_call(target, key)).send();
        let answer = within(self.timeouts.stream_first_byte, call).await??;
        Ok(stream::of_sdk(answer.body, self.timeouts.idle))
    }
}

/// What differs between calls: the region and the credential.
fn per_call(target: &BedrockTarget, key: &Secret) -> aws_sdk_bedrockruntime::config::Builder {
    aws_sdk_bedrockruntime::Config::builder()
        .region(Region::new(target.region.clone()))
        .bearer_token(Token::new(key.expose(), None))
}

/// Whether a whole answer is one of the Messages API.
fn is_message(body: &[u8]) -> bool {
    let kind = || {
        let members = json::members(body, 0)?;
        json::string(body, &json::find(body, &members, "type")?.value)
    };
    kind().is_some_and(|kind| kind == "message")
}

async fn within<T>(limit: Duration, call: impl Future<Output = T>) -> Result<T, BedrockFailure> {
    tokio::time::timeout(limit, call).await.map_err(|_| BedrockFailure::timeout(limit))
}
