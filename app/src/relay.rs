//! The life of a request: whose is it, who may serve it, who serves it, what comes back.
//!
//! This is the only module that sees more than one of its kind (authentication, routing, providers, metering), and
//! every branch on the provider is here.

mod answer;
mod bedrock;

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

pub use answer::{Body, Reply};

use crate::auth::{Directory, PresentedKey};
use crate::domain::{ClientPrincipal, ErrorType, Failure, FallbackReason, Outcome, Provider};
use crate::keyring::Keyring;
use crate::meter::{Recorder, RequestFacts, RequestMeter, Served};
use crate::route::classify::{Verdict, classify};
use crate::route::decision::{Decision, Means, decide};
use crate::upstream::bedrock::Bedrock;
use crate::upstream::plan::{Exchange, Plan, PlanFailure};
use crate::wire::request_head;

/// Everything that a request needs on its way.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Knows the access keys.
    pub directory: Directory,
    /// Opens Bedrock keys.
    pub keyring: Keyring,
    /// The first choice.
    pub plan: Plan,
    /// The second choice.
    pub bedrock: Bedrock,
    /// Writes usage down.
    pub recorder: Recorder,
    /// Longest silence in an answer.
    pub idle: Duration,
}

/// What a request asks for, as far as the proxy treats it differently.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// `POST /v1/messages`: the plan, else Bedrock.
    Messages,
    /// Anything else under `/v1`: the plan only.
    Passthrough,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Passthrough => "passthrough",
        }
    }
}

/// A request as it arrived, its body not yet asked for.
#[derive(Debug)]
pub struct Arrival {
    /// The proxy's own id for it.
    pub request_id: Uuid,
    /// When it arrived, by the monotonic clock.
    pub arrived: std::time::Instant,
    /// When it arrived, by the calendar.
    pub timestamp: chrono::DateTime<chrono::Utc>,
    /// What it asks for.
    pub operation: Operation,
    /// Claude Code's session and subagent.
    pub session_id: Option<String>,
    /// Claude Code's subagent.
    pub agent_id: Option<String>,
}

/// No provider served; what the client is told, and who was asked last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The answer.
    pub failure: Failure,
    /// Who was asked last, if anybody was.
    pub served: Option<Served>,
}

impl Relay {
    /// Finds the holder of the access key. Everybody without a valid one gets the same answer.
    ///
    /// # Errors
    /// What the client is told.
    pub async fn identify(&self, presented: &PresentedKey) -> Result<Arc<ClientPrincipal>, Failure> {
        let PresentedKey::WellFormed(key) = presented else { return Err(unknown_key()) };
        match self.directory.holder(key).await {
            Ok(Some(principal)) => Ok(principal),
            Ok(None) => Err(unknown_key()),
            Err(error) => {
                tracing::error!(%error, "an access key could not be checked");
                Err(Failure::new(
                    503,
                    ErrorType::Api,
                    "The proxy cannot check your access key at the moment. Try again soon.",
                ))
            }
        }
    }

    /// Serves a request whose holder is known and whose body has come.
    ///
    /// # Errors
    /// What the client is told when no provider answered.
    pub async fn serve(
        &self,
        arrival: Arrival,
        principal: Arc<ClientPrincipal>,
        mut exchange: Exchange,
    ) -> Result<Reply, Refusal> {
        let head = match arrival.operation {
            Operation::Messages => request_head::read(&exchange.body),
            Operation::Passthrough => request_head::RequestHead::default(),
        };
        exchange.stream = head.stream;
        let facts = RequestFacts {
            request_id: arrival.request_id,
            arrived: arrival.arrived,
            timestamp: arrival.timestamp,
            operation: arrival.operation.name(),
            model: head.model,
            session_id: arrival.session_id,
            agent_id: arrival.agent_id,
        };
        let mut meter = RequestMeter::start(facts, Arc::clone(&principal), self.recorder.clone());
        let fits_bedrock = self.bedrock.takes(exchange.body.len());
        let means = Means {
            plan_credential: self.plan.has_credential_for(&exchange.headers),
            bedrock_key: principal.bedrock_key.is_some() && arrival.operation == Operation::Messages,
            fits_bedrock,
        };
        let answer = match decide(means) {
            Decision::PlanThenBedrock => self.plan_then_bedrock(&principal, &exchange, &mut meter).await,
            Decision::PlanOnly => self.plan_only(&exchange, &mut meter).await,
            Decision::BedrockOnly => self.bedrock_only(&principal, &exchange, &mut meter).await,
            Decision::Nowhere => Err(no_way(arrival.operation, means)),
        };
        match answer {
            Ok(answer) => Ok(answer.into_reply(meter)),
            Err(failure) => {
                meter.answers(failure.status);
                meter.ends(Outcome::Failed);
                Err(Refusal { failure, served: meter.served() })
            }
        }
    }

    async fn plan_only(&self, exchange: &Exchange, meter: &mut RequestMeter) -> Result<answer::Answer, Failure> {
        meter.asks(Served { provider: Provider::Plan, fallback: None });
        let response = self.plan.send(exchange).await.map_err(|failure| plan_failed(&failure))?;
        match classify(response.status().as_u16(), response.headers()) {
            Verdict::Refuse(_) => Err(invalid_answer()),
            Verdict::Relay | Verdict::FallBack(_) => Ok(answer::from_plan(response, self.idle)),
        }
    }

    async fn plan_then_bedrock(
        &self,
        principal: &ClientPrincipal,
        exchange: &Exchange,
        meter: &mut RequestMeter,
    ) -> Result<answer::Answer, Failure> {
        meter.asks(Served { provider: Provider::Plan, fallback: None });
        let (reason, response) = match self.plan.send(exchange).await {
            Ok(response) => match classify(response.status().as_u16(), response.headers()) {
                Verdict::Relay => return Ok(answer::from_plan(response, self.idle)),
                Verdict::FallBack(reason) => (reason, Ok(response)),
                Verdict::Refuse(reason) => (reason, Err(invalid_answer())),
            },
            Err(failure) => match failure.reason() {
                Some(reason) => (reason, Err(plan_failed(&failure))),
                None => return Err(plan_failed(&failure)),
            },
        };
        match self.prepare(principal, exchange).await {
            Ok(prepared) => self.fall_back(principal, prepared, reason, response.ok(), meter).await,
            // Bedrock cannot help, so the client shall see what the plan said.
            Err(_) => response.map(|response| answer::from_plan(response, self.idle)),
        }
    }

    async fn bedrock_only(
        &self,
        principal: &ClientPrincipal,
        exchange: &Exchange,
        meter: &mut RequestMeter,
    ) -> Result<answer::Answer, Failure> {
        let prepared = self.prepare(principal, exchange).await?;
        self.ask_bedrock(principal, prepared, None, meter).await
    }

    async fn fall_back(
        &self,
        principal: &ClientPrincipal,
        prepared: bedrock::Prepared,
        reason: FallbackReason,
        refused: Option<reqwest::Response>,
        meter: &mut RequestMeter,
    ) -> Result<answer::Answer, Failure> {
        tracing::info!(reason = reason.name(), "the plan cannot serve; asking Bedrock");
        // The refusal is read to its end meanwhile, so that its connection can be used again.
        let (answer, ()) = futures_util::future::join(
            self.ask_bedrock(principal, prepared, Some(reason), meter),
            answer::discard(refused),
        )
        .await;
        answer
    }
}

fn unknown_key() -> Failure {
    let message = "This access key is not valid: it is unknown, revoked or expired. Ask the administrator of your Claude Code proxy for a new one.";
    Failure::new(403, ErrorType::Permission, message).final_answer()
}

fn no_way(operation: Operation, means: Means) -> Failure {
    if operation == Operation::Passthrough {
        let message = "This path is served by the plan only, and the request brings no login or API key for it.";
        return Failure::new(501, ErrorType::NotSupported, message).final_answer();
    }
    if means.bedrock_key {
        return Failure::new(
            413,
            ErrorType::RequestTooLarge,
            "The request is too large for Bedrock, and it brings no login for the plan.",
        );
    }
    let message = "The request brings no login or API key for the plan, and no Bedrock key is registered for your access key. \
                   Log in with Claude Code, or ask the administrator of your proxy to register a Bedrock key.";
    Failure::new(403, ErrorType::Permission, message).final_answer()
}

fn plan_failed(failure: &PlanFailure) -> Failure {
    tracing::warn!(error = %failure, "the plan gave no answer");
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
