//! The part of a request's life that belongs to Bedrock: key, body, call.

mod count_tokens;

use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::{FutureExt as _, StreamExt as _, future, stream};
use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

use super::answer::{Answer, AnswerBody};
use super::{Case, Relay};
use crate::domain::{BedrockTarget, ErrorType, Failure, FallbackReason, Provider, Secret};
use crate::meter::{RequestMeter, Served};
use crate::route::circuits::RegionTicket;
use crate::upstream::bedrock::bridge::{self, Bridged, Edit, NotBridgeable, Rules};
use crate::upstream::bedrock::{Bedrock, BedrockFailure, EventError, Events};
use crate::upstream::plan::Exchange;
use crate::wire::headers;

/// Bodies up to this size take about a millisecond.
const BRIDGED_IN_PLACE: usize = 256 << 10;

/// A request that is ready for Bedrock.
pub(super) struct Prepared {
    target: BedrockTarget,
    key: Secret,
    bridged: Bridged,
    stream: bool,
}

impl Relay {
    /// Opens the key and bridges the body. Costs nothing at Bedrock.
    ///
    /// # Errors
    /// What the client is told if Bedrock was its only hope.
    pub(super) async fn prepare(&self, case: &Case<'_>) -> Result<Prepared, Failure> {
        let principal = case.principal;
        let target = case.target.clone();
        let bridged = bridge(&target, case.exchange)
            .await
            .map_err(|error| Failure::new(400, ErrorType::InvalidRequest, error.to_string()))?;
        let unusable = || {
            let message = "The Bedrock key of your access key cannot be opened. Ask your administrator.";
            Failure::new(503, ErrorType::Api, message)
        };
        let sealed = principal.bedrock_key.as_ref().ok_or_else(unusable)?;
        let key = self.keyring.open(principal.access_key_id, sealed).await.map_err(|error| {
            tracing::error!(%error, access_key_id = %principal.access_key_id, "a Bedrock key cannot be opened");
            unusable()
        })?;
        Ok(Prepared { target, key, bridged, stream: case.exchange.stream })
    }

    /// Calls Bedrock.
    ///
    /// # Errors
    /// When Bedrock does not serve.
    pub(super) async fn ask_bedrock(
        &self,
        prepared: Prepared,
        fallback: Option<FallbackReason>,
        ticket: RegionTicket,
        meter: &mut RequestMeter,
    ) -> Result<Answer, Refused> {
        let served = Served { provider: Provider::Bedrock, fallback };
        let Prepared { target, key, bridged: Bridged { body, edits, .. }, stream } = prepared;
        meter.asks_bedrock(fallback, &target.model);
        let call = Call { bedrock: self.bedrock.clone(), ticket, target, key, body };
        let asked = Instant::now();
        let called = if stream {
            begun_in_time(call.stream(), self.ping_interval).await.map(AnswerBody::BedrockEvents)
        } else {
            call.whole().await.map(AnswerBody::BedrockMessage)
        };
        meter.waited(asked.elapsed());
        let body = called.inspect_err(|refused| {
            if refused.counted_nothing {
                meter.was_refused();
            }
        })?;
        Ok(Answer { status: 200, headers: answer_headers(stream, &edits), served: Some(served), body })
    }
}

/// Bedrock did not serve.
pub(super) struct Refused {
    /// What the client is told.
    pub(super) failure: Failure,
    /// Whether the key or the model is at fault, so that trying again is of no use before somebody mends them.
    pub(super) is_about_the_setup: bool,
    /// Whether it is sure that no tokens were counted.
    counted_nothing: bool,
}

/// Bridges a body; a large one apart from the threads that serve everybody else.
async fn bridge(target: &BedrockTarget, exchange: &Exchange) -> Result<Bridged, NotBridgeable> {
    if exchange.body.len() <= BRIDGED_IN_PLACE {
        return bridge::bridge(&exchange.body, &exchange.headers, Rules::of(&target.model));
    }
    let (bytes, headers, model) = (exchange.body.clone(), exchange.headers.clone(), target.model.clone());
    let bridging = tokio::task::spawn_blocking(move || bridge::bridge(&bytes, &headers, Rules::of(&model)));
    // The bridge does not panic; if it ever did, the body would be one that it cannot bridge.
    bridging.await.unwrap_or(Err(NotBridgeable::NotAnObject))
}

/// One call of Bedrock, owning what it needs, so that it can outlive the head of the answer.
struct Call {
    bedrock: Bedrock,
    ticket: RegionTicket,
    target: BedrockTarget,
    key: Secret,
    body: bytes::Bytes,
}

impl Call {
    async fn whole(self) -> Result<bytes::Bytes, Refused> {
        let called = self.bedrock.invoke(&self.target, &self.key, self.body).await;
        learnt(self.ticket, called)
    }

    /// Waits for the first event: an error in its place keeps its HTTP status.
    async fn stream(self) -> Result<Events, Refused> {
        let called = self.bedrock.invoke_stream(&self.target, &self.key, self.body).await;
        let mut events = match called {
            Ok(events) => events,
            Err(failure) => return learnt(self.ticket, Err(failure)),
        };
        let first = events.next().await;
        let now = Instant::now();
        match first {
            Some(Ok(first)) => {
                self.ticket.served(now);
                Ok(Box::pin(stream::once(future::ready(Ok(first))).chain(events)))
            }
            Some(Err(EventError::Reported(failure) | EventError::Refused(failure))) => {
                if failure.status >= 500 {
                    self.ticket.failed(now);
                } else {
                    self.ticket.served(now);
                }
                Err(Refused { failure, is_about_the_setup: false, counted_nothing: true })
            }
            Some(Err(EventError::Broken(what))) => {
                self.ticket.failed(now);
                tracing::warn!(what, "the answer of Bedrock broke off before it began");
                let failure =
                    Failure::new(502, ErrorType::Api, "Bedrock broke off before its answer began. Try again.");
                Err(Refused { failure, is_about_the_setup: false, counted_nothing: false })
            }
            None => Ok(events),
        }
    }
}

/// Tells the breaker of the region how a call went, and turns a failure into the client's words.
fn learnt<T>(ticket: RegionTicket, called: Result<T, BedrockFailure>) -> Result<T, Refused> {
    let now = Instant::now();
    match called {
        Ok(answer) => {
            ticket.served(now);
            Ok(answer)
        }
        Err(failure) => {
            tracing::warn!(status = failure.status, code = failure.code, "Bedrock did not serve");
            if failure.is_about_bedrock() {
                ticket.failed(now);
            } else {
                ticket.served(now);
            }
            Err(Refused {
                is_about_the_setup: failure.is_about_the_setup(),
                counted_nothing: failure.counted_nothing(),
                failure: failure.to_client(),
            })
        }
    }
}

/// Waits for a stream to begin. If that takes longer than a client may be left in silence, the answer begins without
/// it, and the stream, or the error in its place, follows when it comes.
async fn begun_in_time(
    begins: impl Future<Output = Result<Events, Refused>> + Send + 'static,
    silence: Duration,
) -> Result<Events, Refused> {
    let mut begins: Pin<Box<dyn Future<Output = Result<Events, Refused>> + Send>> = Box::pin(begins);
    if let Ok(begun) = tokio::time::timeout(silence, begins.as_mut()).await {
        return begun;
    }
    let late = begins.map(|begun| match begun {
        Ok(events) => events,
        Err(refused) => {
            let error = if refused.counted_nothing { EventError::Refused } else { EventError::Reported };
            Box::pin(stream::iter([Err(error(refused.failure))])) as Events
        }
    });
    Ok(Box::pin(late.flatten_stream()))
}

fn answer_headers(stream: bool, edits: &[Edit]) -> HeaderMap {
    let mut map = HeaderMap::new();
    let kind = if stream { "text/event-stream; charset=utf-8" } else { "application/json" };
    map.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if stream {
        map.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    let names: Vec<String> = edits.iter().map(Edit::to_string).collect();
    if let (false, Ok(names)) = (names.is_empty(), HeaderValue::from_str(&names.join(","))) {
        map.insert(headers::BEDROCK_DROPPED, names);
    }
    map
}
