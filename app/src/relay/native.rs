//! The life of a request in Bedrock's own format: no plan and no bridge; it passes as it came and is metered on its way.

mod tap;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use futures_util::{Stream, StreamExt as _, stream};
use http::header::HeaderValue;

use super::answer::{Body, Reply};
use super::body::InSpan;
use super::budget::BudgetNotice;
use super::{Refusal, Relay};
use crate::domain::{ClientPrincipal, ErrorType, Failure, Outcome, Provider, ProviderError, RoutingStrategy};
use crate::meter::{RequestFacts, RequestMeter};
use crate::route::circuits::RegionTicket;
use crate::telemetry::counters;
use crate::upstream::bedrock::native::{NativeCall, NativeFailure};
use crate::wire::native_path::NativeOperation;
use crate::wire::{headers, idle};
use tap::Tap;

impl Relay {
    /// Passes a request on to Bedrock, and the answer back.
    ///
    /// # Errors
    /// What the client is told when Bedrock did not answer, or was not asked.
    pub async fn serve_native(
        &self,
        facts: RequestFacts,
        principal: Arc<ClientPrincipal>,
        call: NativeCall,
    ) -> Result<Reply, Refusal> {
        let mut meter = RequestMeter::start(facts, Arc::clone(&principal), self.recorder.clone());
        let runs_a_model = call.path.operation.runs_a_model();
        match self.ask_native(&principal, call, &mut meter).await {
            Ok((response, ticket)) => {
                let tap = Tap::of(&response, runs_a_model, ticket);
                Ok(self.native_reply(response, tap, meter))
            }
            Err(failure) => {
                meter.answers(failure.status);
                meter.ends(Outcome::Failed);
                Err(Refusal { failure, served: meter.served() })
            }
        }
    }

    /// The answer of Bedrock, whatever its status, and the ticket if the breaker of the region does not know yet.
    async fn ask_native(
        &self,
        principal: &ClientPrincipal,
        call: NativeCall,
        meter: &mut RequestMeter,
    ) -> Result<(reqwest::Response, Option<RegionTicket>), Failure> {
        may_ask(principal)?;
        let notice =
            if call.path.operation.runs_a_model() { self.may_spend(principal)? } else { BudgetNotice::default() };
        let key = self.bedrock_key(principal).await?;
        let (region, operation) = (&principal.bedrock_region, call.path.operation);
        meter.asks_bedrock(None, &call.path.model, &call.body);
        if !operation.runs_a_model() {
            meter.is_free();
        }
        // The control plane is another service: how it is says nothing about the runtime.
        let is_runtime = operation != NativeOperation::Profiles;
        let ticket = is_runtime.then(|| self.circuits.bedrock_ticket(region, Instant::now()));
        let asked = Instant::now();
        let model = call.path.model.clone();
        let sent = self.native.send(region, &key, call).await;
        meter.waited(asked.elapsed());
        let mut response = match sent {
            Ok(response) => response,
            Err(failure) => {
                tracing::warn!(error = %failure, "Bedrock gave no answer");
                if let Some(ticket) = ticket.filter(|_| failure.is_about_bedrock()) {
                    ticket.failed(Instant::now());
                }
                meter.failed(Provider::Bedrock, failure.error());
                if failure.counted_nothing() {
                    meter.was_refused();
                }
                return Err(told(&failure));
            }
        };
        let status = response.status();
        if status.is_success() {
            notice.write(response.headers_mut());
            return Ok((response, ticket));
        }
        meter.was_refused();
        if operation.runs_a_model() || status.is_server_error() {
            meter.failed(Provider::Bedrock, ProviderError::of_status(status.as_u16()));
        }
        tracing::warn!(status = status.as_u16(), "Bedrock did not serve");
        if let Some(ticket) = ticket {
            let told = if status.is_server_error() { RegionTicket::failed } else { RegionTicket::served };
            told(ticket, Instant::now());
        }
        if matches!(status.as_u16(), 401 | 403) {
            self.key_refused(principal, status.as_u16(), operation, &model);
        }
        if status.is_redirection() {
            // Clients follow it, credentials and all.
            let message = "Bedrock gave an answer that cannot be relayed (a redirect).";
            return Err(Failure::new(503, ErrorType::Api, message));
        }
        Ok((response, None))
    }

    /// The client is told in Bedrock's words; whoever can mend it reads the log. A key that may call models, and may not
    /// list profiles or count tokens, is common and does no harm.
    fn key_refused(&self, principal: &ClientPrincipal, status: u16, operation: NativeOperation, model: &str) {
        let (access_key_id, region) = (principal.access_key_id, &principal.bedrock_region);
        if operation.runs_a_model() {
            counters::bedrock_key_refused();
            self.notices.key_refused(access_key_id, region, model);
        } else {
            tracing::warn!(%access_key_id, region, operation = operation.name(), status, "Bedrock refuses this to the key");
        }
    }

    /// Status, headers and bytes as they come, bound to the meter.
    fn native_reply(&self, mut response: reqwest::Response, mut tap: Tap, mut meter: RequestMeter) -> Reply {
        let status = response.status().as_u16();
        let mut map = std::mem::take(response.headers_mut());
        headers::strip_hop_by_hop(&mut map);
        map.insert(headers::PROVIDER, HeaderValue::from_static(Provider::Bedrock.name()));
        meter.answers(status);
        tap.begins(&mut meter);
        let span = meter.span().clone();
        let bytes = response.bytes_stream().map(|item| item.map_err(|error| io::Error::other(error.without_url())));
        let body: Body = Box::pin(tapped(Box::pin(idle::limit(bytes, self.idle)), tap, meter));
        Reply { status, headers: map, body: Box::pin(InSpan { body, span }) }
    }
}

/// Every byte passes when it comes and as it is; the tap sees it and tells the meter.
fn tapped(bytes: Body, tap: Tap, meter: RequestMeter) -> impl Stream<Item = io::Result<bytes::Bytes>> + Send {
    stream::unfold((bytes, Some((tap, meter))), |(mut bytes, held)| async move {
        let (mut tap, mut meter) = held?;
        match bytes.next().await {
            Some(Ok(chunk)) => {
                tap.sees(&chunk, &mut meter);
                Some((Ok(chunk), (bytes, Some((tap, meter)))))
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "the answer of Bedrock broke off");
                tap.broke(&mut meter);
                Some((Err(error), (bytes, None)))
            }
            None => tap.ended(&mut meter).map(|error| (Err(error), (bytes, None))),
        }
    })
}

/// Whether the holder may use Bedrock, and can.
fn may_ask(principal: &ClientPrincipal) -> Result<(), Failure> {
    let message = match (principal.routing_strategy, &principal.bedrock_key) {
        (RoutingStrategy::PlanOnly, _) => {
            "Your requests are served by the plan only. Unset CLAUDE_CODE_USE_BEDROCK and set ANTHROPIC_BASE_URL instead, \
             or ask the administrator of your proxy to let you use Bedrock."
        }
        (_, None) => {
            "No Bedrock key is registered for your access key. Ask the administrator of your proxy to register one."
        }
        _ => return Ok(()),
    };
    Err(Failure::new(403, ErrorType::Permission, message).final_answer())
}

/// What the client is told, with the statuses that AWS uses.
fn told(failure: &NativeFailure) -> Failure {
    match failure {
        NativeFailure::Region(_) => {
            let message = "The region of your access key cannot be used. Ask the administrator of your proxy.";
            Failure::new(503, ErrorType::Api, message).final_answer()
        }
        NativeFailure::Path => {
            Failure::new(400, ErrorType::InvalidRequest, "The path of this request cannot be forwarded as it is.")
        }
        NativeFailure::Unreachable(_) => Failure::new(503, ErrorType::Api, "Bedrock could not be reached. Try again."),
        NativeFailure::Broken(_) => {
            Failure::new(503, ErrorType::Api, "Bedrock broke off before its answer began. Try again.")
        }
        NativeFailure::FirstByteTimeout => {
            Failure::new(408, ErrorType::Timeout, "Bedrock did not begin to answer in time.")
        }
    }
}
