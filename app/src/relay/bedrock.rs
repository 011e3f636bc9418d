//! The part of a request's life that belongs to Bedrock: key, body, call.

use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

use super::Relay;
use super::answer::{Answer, AnswerBody};
use crate::domain::{ClientPrincipal, ErrorType, Failure, FallbackReason, Provider, Secret};
use crate::meter::{RequestMeter, Served};
use crate::upstream::bedrock::body::{self, Bridged};
use crate::upstream::bedrock::events;
use crate::upstream::plan::Exchange;
use crate::wire::headers;

/// A request that is ready for Bedrock.
pub(super) struct Prepared {
    key: Secret,
    bridged: Bridged,
    stream: bool,
}

impl Relay {
    /// Opens the key and bridges the body. Costs nothing at Bedrock.
    ///
    /// # Errors
    /// What the client is told if Bedrock was its only hope.
    pub(super) async fn prepare(&self, principal: &ClientPrincipal, exchange: &Exchange) -> Result<Prepared, Failure> {
        let bridged = body::bridge(&exchange.body, &exchange.headers, &principal.bedrock_model)
            .map_err(|error| Failure::new(400, ErrorType::InvalidRequest, error.to_string()))?;
        let unusable = || {
            Failure::new(
                503,
                ErrorType::Api,
                "The Bedrock key of your access key cannot be opened. Ask your administrator.",
            )
        };
        let sealed = principal.bedrock_key.as_ref().ok_or_else(unusable)?;
        let key = self.keyring.open(principal.access_key_id, sealed).await.map_err(|error| {
            tracing::error!(%error, access_key_id = %principal.access_key_id, "a Bedrock key cannot be opened");
            unusable()
        })?;
        Ok(Prepared { key, bridged, stream: exchange.stream })
    }

    /// Calls Bedrock.
    ///
    /// # Errors
    /// What the client is told when Bedrock does not serve.
    pub(super) async fn ask_bedrock(
        &self,
        principal: &ClientPrincipal,
        prepared: Prepared,
        fallback: Option<FallbackReason>,
        meter: &mut RequestMeter,
    ) -> Result<Answer, Failure> {
        let served = Served { provider: Provider::Bedrock, fallback };
        meter.asks(served);
        let Prepared { key, bridged: Bridged { body, dropped }, stream } = prepared;
        let called = if stream {
            let raw = self.bedrock.invoke_stream(principal, &key, body).await;
            raw.map(|raw| AnswerBody::BedrockEvents(Box::pin(events(raw, self.idle))))
        } else {
            self.bedrock.invoke(principal, &key, body).await.map(AnswerBody::BedrockMessage)
        };
        let body = called.map_err(|failure| {
            tracing::warn!(status = failure.status, code = failure.code, "Bedrock did not serve");
            // After a time-out Bedrock may have worked, and counted, all the same.
            if !failure.is_timeout() {
                meter.was_refused();
            }
            failure.to_client()
        })?;
        let mut map = HeaderMap::new();
        map.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(if stream { "text/event-stream; charset=utf-8" } else { "application/json" }),
        );
        if stream {
            map.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        if let (false, Ok(names)) = (dropped.is_empty(), HeaderValue::from_str(&dropped.join(","))) {
            map.insert(headers::BEDROCK_DROPPED, names);
        }
        Ok(Answer { status: 200, headers: map, served, body })
    }
}
