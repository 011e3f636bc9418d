//! The part of a request's life that belongs to the plan: ask, wait for what tells, and learn from it.

use std::time::{Duration, Instant, SystemTime};

use bytes::BytesMut;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::Relay;
use super::answer::{Answer, Rest};
use crate::domain::{ErrorType, Failure, FallbackReason, Provider, ProviderError};
use crate::meter::RequestMeter;
use crate::route::circuits::Ticket;
use crate::route::classify::{self, Effect, Fault, Verdict, classify};
use crate::upstream::plan::{Exchange, PlanFailure};
use crate::wire::sse_head::{Beginning, beginning};

/// What is read of an answer before it is relayed, at the most.
const HOLD_BYTES: usize = 64 << 10;
/// How long a stream may keep the proxy waiting for its first content.
const HOLD_STREAM: Duration = Duration::from_secs(5);
/// How long the body of an error may take.
const HOLD_ERROR: Duration = Duration::from_millis(250);

/// How it went with the plan.
pub(super) enum PlanOutcome {
    /// This is the answer.
    Answer(Answer),
    /// The plan failed; what the client is told if nobody else serves.
    Fault(Fault, Result<Answer, Failure>),
}

/// An answer of which the beginning has been read.
struct Held {
    prefix: BytesMut,
    rest: Rest,
}

impl Relay {
    /// Asks the plan, holds back what comes before the first content, and reports to the breakers.
    ///
    /// # Errors
    /// When the request itself cannot be sent.
    pub(super) async fn ask_plan(
        &self,
        exchange: &Exchange,
        ticket: Option<Ticket>,
        meter: &mut RequestMeter,
    ) -> Result<PlanOutcome, Failure> {
        let asked = Instant::now();
        let sent = self.plan.send(exchange).await;
        meter.waited(asked.elapsed());
        let outcome = match sent {
            // Only messages have tickets; the streams of other paths are nobody's to judge.
            Ok(response) => self.judge(response, ticket.is_some(), meter).await,
            Err(failure) => {
                tracing::warn!(error = %failure, "the plan gave no answer");
                let reason = failure.reason().ok_or_else(|| told(&failure))?;
                PlanOutcome::Fault(classify::without_answer(reason), Err(told(&failure)))
            }
        };
        if let PlanOutcome::Fault(fault, _) = &outcome {
            meter.failed(Provider::Plan, ProviderError::of_plan(fault.reason));
        }
        if let Some(ticket) = ticket {
            self.report(ticket, &outcome);
        }
        Ok(outcome)
    }

    async fn judge(&self, mut response: reqwest::Response, message: bool, meter: &mut RequestMeter) -> PlanOutcome {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let reading = Instant::now();
        match classify(status, &headers, b"", seconds) {
            Verdict::Relay if message && is_readable_stream(status, &headers) => {
                let held = hold(response, HOLD_STREAM, |bytes| beginning(bytes) != Beginning::Open).await;
                meter.waited(reading.elapsed());
                match fault_of_stream(&held) {
                    Some(fault) => PlanOutcome::Fault(fault, Ok(self.plan_answer((status, headers), held, true))),
                    None => PlanOutcome::Answer(self.plan_answer((status, headers), held, true)),
                }
            }
            Verdict::Relay => {
                let held = Held { prefix: BytesMut::new(), rest: Rest::More(response) };
                PlanOutcome::Answer(self.plan_answer((status, headers), held, false))
            }
            Verdict::FallBack(_) => {
                // The body says what kind of 429 it is; and a body read to its end leaves a connection to use again.
                let held = hold(response, HOLD_ERROR, |_| false).await;
                meter.waited(reading.elapsed());
                let understood = matches!(held.rest, Rest::Ended) && !headers.contains_key(CONTENT_ENCODING);
                let verdict = classify(status, &headers, &held.prefix, seconds);
                let answer = self.plan_answer((status, headers), held, false);
                match verdict {
                    // Without its words a 429 may be about this request alone, so it closes nothing for long.
                    Verdict::FallBack(Fault { reason, effect: Effect::ClosedFor(_) }) if !understood => {
                        PlanOutcome::Fault(Fault { reason, effect: Effect::Counts }, Ok(answer))
                    }
                    Verdict::FallBack(fault) => PlanOutcome::Fault(fault, Ok(answer)),
                    // The body only ever chooses between kinds of failure.
                    Verdict::Relay | Verdict::Refuse(_) => PlanOutcome::Answer(answer),
                }
            }
            Verdict::Refuse(fault) => PlanOutcome::Fault(fault, Err(invalid_answer())),
        }
    }

    fn plan_answer(&self, head: (u16, HeaderMap), begun: Held, events: bool) -> Answer {
        Answer::of_plan(head, begun.prefix.freeze(), begun.rest, events, self.idle)
    }

    fn report(&self, ticket: Ticket, outcome: &PlanOutcome) {
        let now = Instant::now();
        match outcome {
            PlanOutcome::Answer(_) => {
                let key = ticket.key();
                if ticket.served(now) {
                    self.sharing.lifted(key);
                }
            }
            PlanOutcome::Fault(fault, _) => {
                if let (FallbackReason::PlanLimit, Effect::ClosedFor(wait)) = (fault.reason, fault.effect) {
                    self.sharing.tell(ticket.key(), wait);
                }
                ticket.failed(fault.effect, now);
            }
        }
    }
}

/// Reads on until `enough`, the end, the limit of bytes or the limit of time.
async fn hold(mut response: reqwest::Response, limit: Duration, enough: impl Fn(&[u8]) -> bool) -> Held {
    let deadline = tokio::time::Instant::now() + limit;
    let mut prefix = BytesMut::new();
    let rest = loop {
        match tokio::time::timeout_at(deadline, response.chunk()).await {
            Err(_) => break Rest::More(response),
            Ok(Ok(None)) => break Rest::Ended,
            Ok(Err(error)) => break Rest::Broken(error.without_url().to_string()),
            Ok(Ok(Some(chunk))) => prefix.extend_from_slice(&chunk),
        }
        if prefix.len() >= HOLD_BYTES || enough(&prefix) {
            break Rest::More(response);
        }
    };
    Held { prefix, rest }
}

/// A stream that has no content fails if it says so, or if it is over: nothing of it has been seen by then.
fn fault_of_stream(held: &Held) -> Option<Fault> {
    match (beginning(&held.prefix), &held.rest) {
        (Beginning::Error(kind), _) => classify::classify_event(&kind),
        (Beginning::Open, Rest::Ended | Rest::Broken(_)) => {
            Some(classify::without_answer(FallbackReason::BrokenStream))
        }
        (Beginning::Open | Beginning::Content, _) => None,
    }
}

/// Whether the events can be read as they come; a compressed stream is relayed as it is.
fn is_readable_stream(status: u16, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map_or("", |value: &http::HeaderValue| value.to_str().unwrap_or_default());
    let plain = matches!(text(CONTENT_ENCODING), "" | "identity");
    status == 200 && plain && text(CONTENT_TYPE).trim_start().starts_with("text/event-stream")
}

fn told(failure: &PlanFailure) -> Failure {
    match failure {
        PlanFailure::Path => {
            Failure::new(400, ErrorType::InvalidRequest, "The path of this request cannot be forwarded.")
        }
        PlanFailure::Unreachable(_) => {
            Failure::new(502, ErrorType::Api, "The proxy could not reach the plan. Try again soon.")
        }
        PlanFailure::FirstByteTimeout => {
            Failure::new(504, ErrorType::Timeout, "The plan did not begin to answer in time.")
        }
    }
}

fn invalid_answer() -> Failure {
    Failure::new(502, ErrorType::Api, "The plan gave an answer that cannot be relayed (a redirect).")
}
