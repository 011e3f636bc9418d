//! The part of a request's life that belongs to Bedrock: key, body, call.

mod begin;
mod call;
mod count_tokens;
mod ladder;
mod notices;
mod original;
mod refused;
mod throttle;

use std::time::Instant;

use chrono::Utc;
use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

pub use ladder::Repairs;
pub use notices::Notices;

use super::answer::{Answer, AnswerBody};
use super::{Case, Relay};
use crate::domain::{ClientPrincipal, Dialect, ErrorType, Failure, FallbackReason, Provider, Refusal, Secret};
use crate::meter::{RequestMeter, Served};
use crate::route::circuits::RegionTicket;
use crate::upstream::bedrock::bridge::{Bridged, Edit};
use crate::vault::VaultError;
use crate::wire::headers;
use begin::begun_in_time;
use call::Call;
use ladder::{Delivered, Ladder};
use original::Original;
use refused::Refused;

/// What a client is told to wait for the vault.
const VAULT_AWAY_SECONDS: u32 = 5;

/// A request that is ready for Bedrock.
pub(super) struct Prepared {
    original: Original,
    key: Secret,
    known: Vec<Refusal>,
    bridged: Bridged,
    access_key_id: uuid::Uuid,
    stream: bool,
}

impl Relay {
    /// Opens the key and bridges the body for a dialect, without what the model is known to refuse. Costs nothing at Bedrock.
    ///
    /// # Errors
    /// What the client is told if Bedrock was its only hope.
    pub(super) async fn prepare(&self, case: &Case<'_>, dialect: Dialect) -> Result<Prepared, Failure> {
        let (principal, exchange) = (case.principal, case.exchange);
        let original = Original {
            bedrock: self.bedrock.clone(),
            target: self.target(case).clone(),
            dialect,
            headers: exchange.headers.clone(),
            body: exchange.body.clone(),
        };
        let known = self.repairs.learned.refusals(&original.target, Utc::now());
        let bridged = original
            .bridged(&known)
            .await
            .map_err(|error| Failure::new(400, ErrorType::InvalidRequest, error.to_string()))?;
        let key = self.bedrock_key(principal).await?;
        self.notices.betas(&bridged.dropped_betas, &original.target.model);
        Ok(Prepared { original, key, known, bridged, access_key_id: principal.access_key_id, stream: exchange.stream })
    }

    /// The Bedrock key of the holder, in the clear.
    ///
    /// # Errors
    /// When it cannot be had.
    pub(super) async fn bedrock_key(&self, principal: &ClientPrincipal) -> Result<Secret, Failure> {
        let unusable = || {
            let message = "The Bedrock key of your access key cannot be opened. Ask your administrator.";
            Failure::new(503, ErrorType::Api, message)
        };
        let sealed = principal.bedrock_key.as_ref().ok_or_else(unusable)?;
        self.keyring.open(principal.access_key_id, sealed).await.map_err(|error| {
            tracing::error!(%error, access_key_id = %principal.access_key_id, "a Bedrock key cannot be opened");
            match error {
                VaultError::Away(_) => {
                    let message = "What keeps Bedrock keys encrypted does not answer. Try again in a moment.";
                    Failure::new(503, ErrorType::Api, message).after_seconds(VAULT_AWAY_SECONDS)
                }
                _ => unusable(),
            }
        })
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
        let Prepared { original, key, known, bridged, access_key_id, stream } = prepared;
        meter.asks_bedrock(fallback, &original.target.model, &original.body);
        let call = Call { key, original };
        let (repairs, notices) = (self.repairs.clone(), self.notices.clone());
        let ladder = Ladder { call, known, ticket, repairs, notices, access_key_id };
        let asked = Instant::now();
        let answered = if stream {
            let edits = bridged.edits.clone();
            let begun = begun_in_time(ladder.climb(bridged, Call::stream), edits, self.ping_interval).await;
            begun.map(|begun| begun.map(AnswerBody::BedrockEvents))
        } else {
            ladder.climb(bridged, Call::whole).await.map(|whole| whole.map(AnswerBody::BedrockMessage))
        };
        meter.waited(asked.elapsed());
        let Delivered { answer: body, edits } = answered.inspect_err(|refused| {
            meter.failed(Provider::Bedrock, refused.error());
            if refused.counted_nothing {
                meter.was_refused();
            }
        })?;
        let headers = answer_headers(stream, &edits);
        if let Some(Ok(names)) = headers.get(headers::BEDROCK_DROPPED).map(HeaderValue::to_str) {
            meter.left_out(names);
        }
        Ok(Answer { status: 200, headers, served: Some(served), body })
    }
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
    let blocks =
        edits.iter().find_map(|edit| if let Edit::ThinkingDropped(blocks) = edit { Some(blocks) } else { None });
    if let Some(Ok(dropped)) = blocks.map(|blocks| HeaderValue::try_from(format!("dropped={blocks}"))) {
        map.insert(headers::THINKING, dropped);
    }
    map
}
