//! The life of a request: whose is it, who may serve it, who serves it, what comes back.
//!
//! This is the only module that sees more than one of its kind (authentication, routing, providers, metering), and
//! every branch on the provider is here.

mod answer;
mod bedrock;
mod body;
mod budget;
mod case;
mod joined;
mod models;
mod native;
mod operation;
mod plan;
mod refusals;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

pub use answer::{Body, Reply};
pub use bedrock::{Notices, Repairs};
pub use operation::Operation;

use http::HeaderValue;

use crate::auth::{Directory, KeyHasher, LastUsed, PresentedKey};
use crate::domain::{BedrockTarget, ClientPrincipal, ErrorType, Failure, FallbackReason, Family, Outcome};
use crate::keyring::Keyring;
use crate::meter::{Budgets, Recorder, RequestFacts, RequestMeter, Served};
use crate::models::Models;
use crate::route::circuits::{CircuitKey, Circuits};
use crate::route::decision::{Decision, Means, decide};
use crate::route::model;
use crate::route::stays::{Conversation, Stay, Stays};
use crate::sharing::LimitSharing;
use crate::upstream::bedrock::Bedrock;
use crate::upstream::bedrock::native::NativeBedrock;
use crate::upstream::plan::{Exchange, Plan};
use crate::wire::request_head;
use answer::Answer;
use case::Case;
use plan::PlanOutcome;
use refusals::{no_key, no_way, unknown_key};

/// Everything that a request needs on its way.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Knows the access keys.
    pub directory: Directory,
    /// Notes when they are used.
    pub last_used: LastUsed,
    /// Hashes credentials, so that none has to be remembered.
    pub hasher: KeyHasher,
    /// Opens Bedrock keys.
    pub keyring: Keyring,
    /// The first choice.
    pub plan: Plan,
    /// The second choice.
    pub bedrock: Bedrock,
    /// Which model of Bedrock stands for which.
    pub models: Models,
    /// The same for clients that speak its format.
    pub native: NativeBedrock,
    /// When a provider is not asked.
    pub circuits: Circuits,
    /// Which conversations stay on Bedrock.
    pub stays: Stays,
    /// Tells other tasks of limits.
    pub sharing: LimitSharing,
    /// What models on Bedrock turned out to refuse.
    pub repairs: Repairs,
    /// What operators have been told.
    pub notices: Notices,
    /// Writes usage down.
    pub recorder: Recorder,
    /// What users may spend at Bedrock, and have spent.
    pub budgets: Budgets,
    /// Whether the plan's usage is written down, too.
    pub meter_plan: bool,
    /// Longest silence in an answer.
    pub idle: Duration,
    /// Longest silence that a client is left in while Bedrock works.
    pub ping_interval: Duration,
}

/// A request as it arrived, its body not yet asked for.
#[derive(Debug)]
pub struct Arrival {
    /// What it asks for.
    pub operation: Operation,
    /// What is known of it; its model is not, before the body has been read.
    pub facts: RequestFacts,
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
        let key = match presented {
            PresentedKey::WellFormed(key) => key,
            PresentedKey::Malformed => return Err(unknown_key()),
            PresentedKey::Missing => return Err(no_key()),
        };
        match self.directory.holder(key).await {
            Ok(Some(principal)) => {
                self.last_used.note(principal.access_key_id, chrono::Utc::now());
                Ok(principal)
            }
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
        let head = if arrival.operation.is_about_a_message() {
            request_head::read(&exchange.body)
        } else {
            request_head::RequestHead::default()
        };
        exchange.stream = head.stream && arrival.operation == Operation::Messages;
        let mut facts = arrival.facts;
        let conversation = Conversation {
            access_key_id: principal.access_key_id,
            session_id: facts.session_id.clone(),
            agent_id: facts.agent_id.clone(),
            family: Family::of(&head.model),
        };
        facts.model.clone_from(&head.model);
        let mut meter = RequestMeter::start(facts, Arc::clone(&principal), self.recorder.clone());
        let case = Case {
            principal: &principal,
            exchange: &exchange,
            operation: arrival.operation,
            conversation,
            model: &head.model,
            target: OnceLock::new(),
        };
        match self.answer(&case, &mut meter).await {
            Ok(answer) => {
                if self.meter_plan && arrival.operation == Operation::Messages {
                    answer.meter_plan(&mut meter);
                }
                Ok(answer.into_reply(meter, exchange.method == http::Method::HEAD, self.ping_interval))
            }
            Err(failure) => {
                meter.answers(failure.status);
                meter.ends(Outcome::Failed);
                Err(Refusal { failure, served: meter.served() })
            }
        }
    }

    async fn answer(&self, case: &Case<'_>, meter: &mut RequestMeter) -> Result<Answer, Failure> {
        let means = Means {
            strategy: case.principal.routing_strategy,
            plan_credential: self.plan.has_credential_for(&case.exchange.headers),
            bedrock_key: case.principal.bedrock_key.is_some()
                && case.operation.works_without_the_plan(|| self.counts_tokens(self.target(case))),
            fits_bedrock: self.bedrock.takes(case.exchange.body.len()),
        };
        match (decide(means), case.operation) {
            (Decision::PlanThenBedrock, Operation::Messages) => self.plan_then_bedrock(case, meter).await,
            (Decision::PlanThenBedrock, Operation::CountTokens) => {
                Box::pin(self.plan_then_bedrock_counts(case, meter)).await
            }
            (Decision::PlanThenBedrock | Decision::PlanOnly, _) => self.plan_only(case, meter).await,
            (Decision::BedrockOnly, Operation::CountTokens) => Box::pin(self.bedrock_counts(case, meter)).await,
            (Decision::BedrockOnly, Operation::ListModels | Operation::GetModel) => {
                self.tell_models(case.operation, &case.exchange.path_and_query)
            }
            (Decision::BedrockOnly, _) => {
                let notice = self.may_spend(case.principal)?;
                let prepared = self.prepare(case, self.bedrock.dialect()).await?;
                let ticket = self.circuits.bedrock_ticket(&self.target(case).region, Instant::now());
                let asked = Box::pin(self.ask_bedrock(prepared, None, ticket, meter)).await;
                asked.map(|answer| notice.on(answer)).map_err(|refused| refused.failure)
            }
            (Decision::Nowhere(obstacle), operation) => Err(no_way(operation, obstacle)),
        }
    }

    async fn plan_only(&self, case: &Case<'_>, meter: &mut RequestMeter) -> Result<Answer, Failure> {
        meter.asks_plan();
        // There is no other way, so the breakers are told and not asked. Other paths than messages tell them nothing.
        let key = (case.operation == Operation::Messages).then(|| self.circuit_key(case));
        let ticket = key.map(|key| self.circuits.ticket(key, Instant::now()));
        match self.ask_plan(case.exchange, ticket, meter).await? {
            PlanOutcome::Answer(answer) | PlanOutcome::Fault(_, Ok(answer)) => Ok(answer),
            PlanOutcome::Fault(_, Err(failure)) => Err(failure),
        }
    }

    async fn plan_then_bedrock(&self, case: &Case<'_>, meter: &mut RequestMeter) -> Result<Answer, Failure> {
        let now = Instant::now();
        let key = self.circuit_key(case);
        meter.circuit(self.circuits.phase(&key, now).name());
        let admitted = match self.stays_for(case, key, now) {
            Some(reason) => Err(reason),
            None => self.circuits.admit(key, now).ok_or(FallbackReason::CircuitOpen),
        };
        let (reason, otherwise) = match admitted {
            Ok(ticket) => {
                meter.asks_plan();
                match self.ask_plan(case.exchange, Some(ticket), meter).await? {
                    PlanOutcome::Answer(answer) => {
                        if self.stays.begun(&case.conversation).is_some() {
                            case.changes_provider();
                            self.stays.end(&case.conversation);
                        }
                        return Ok(answer);
                    }
                    PlanOutcome::Fault(fault, otherwise) => (fault.reason, Some(otherwise)),
                }
            }
            Err(reason) => (reason, None),
        };
        // Boxed, like the other ways that few requests take: a future is moved from place to place before it runs, and its size
        // is that of the largest way.
        Box::pin(self.fall_back(case, reason, otherwise, meter)).await
    }

    /// Bedrock in place of the plan; `otherwise` is what the plan has said, if it was asked.
    async fn fall_back(
        &self,
        case: &Case<'_>,
        reason: FallbackReason,
        otherwise: Option<Result<Answer, Failure>>,
        meter: &mut RequestMeter,
    ) -> Result<Answer, Failure> {
        let Ok(notice) = self.may_spend(case.principal) else {
            if reason == FallbackReason::Staying {
                case.changes_provider();
                self.stays.end(&case.conversation);
            }
            return match otherwise {
                Some(otherwise) => otherwise,
                None => self.plan_only(case, meter).await,
            };
        };
        let region = &self.target(case).region;
        let prepared = self.prepare(case, self.bedrock.dialect()).await;
        let now = Instant::now();
        let ticket = match &otherwise {
            Some(_) => self.circuits.admit_bedrock(region, now),
            None => Some(self.circuits.bedrock_ticket(region, now)),
        };
        let (Ok(prepared), Some(ticket)) = (prepared, ticket) else {
            // Bedrock cannot help, so the client shall see what the plan said; if it was not asked yet, it is now.
            return match otherwise {
                Some(otherwise) => otherwise,
                None => self.plan_only(case, meter).await,
            };
        };
        tracing::info!(reason = reason.name(), "the plan does not serve; asking Bedrock");
        match self.ask_bedrock(prepared, Some(reason), ticket, meter).await {
            Ok(answer) => {
                if self.stays.begun(&case.conversation).is_none() {
                    case.changes_provider();
                }
                self.stays.begin(case.conversation.clone(), Instant::now());
                Ok(notice.on(answer))
            }
            Err(refused) if reason == FallbackReason::Staying => {
                // There is nothing to stay for.
                case.changes_provider();
                tracing::info!(status = refused.failure.status, "Bedrock does not serve; returning to the plan");
                self.stays.end(&case.conversation);
                self.plan_only(case, meter).await
            }
            // A key or a model that Bedrock refuses will be refused again, while the plan may be back soon.
            Err(refused) if refused.is_about_the_setup() => match otherwise {
                Some(Ok(answer)) => {
                    meter.asks_plan();
                    Ok(answer)
                }
                Some(Err(_)) => Err(refused.failure),
                // Its circuit is open, but its own words tell the client how long.
                None => self.plan_only(case, meter).await,
            },
            Err(refused) => Err(refused.failure),
        }
    }

    /// Why a conversation that fell back stays on Bedrock, if it does.
    fn stays_for(&self, case: &Case<'_>, key: CircuitKey, now: Instant) -> Option<FallbackReason> {
        let begun = self.stays.begun(&case.conversation)?;
        match self.stays.at(begun, self.circuits.open_until(&key), now) {
            // The breaker itself will say so, and may send a probe.
            Stay::PlanIsClosed | Stay::Over => None,
            Stay::UntilTurnEnds => case.is_in_mid_turn().then_some(FallbackReason::Staying),
        }
    }

    /// What Bedrock is asked for, if it is asked.
    fn target<'c>(&self, case: &'c Case<'_>) -> &'c BedrockTarget {
        case.target.get_or_init(|| model::target(case.model, case.principal, &self.models.current()))
    }

    /// Whose breaker a request is about: that of the credential which the plan will see.
    fn circuit_key(&self, case: &Case<'_>) -> CircuitKey {
        let credential = self.plan.credential_for(&case.exchange.headers);
        let credential = credential.as_ref().map_or(&[][..], HeaderValue::as_bytes);
        CircuitKey { credential: self.hasher.hash_bytes(credential), family: case.conversation.family }
    }
}
