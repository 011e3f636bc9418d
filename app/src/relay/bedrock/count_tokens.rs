//! Counting tokens: the plan first, then Bedrock where it counts for the model. Free of charge, so no usage is written
//! down, and no breaker is asked or told. A number is never guessed: the client's own estimate is better than ours.

use std::time::Instant;

use chrono::Utc;

use super::answer_headers;
use crate::domain::{BedrockTarget, Dialect, Failure, FallbackReason, Provider, Refusal, RefusalKind};
use crate::meter::{RequestMeter, Served};
use crate::relay::answer::{Answer, AnswerBody};
use crate::relay::plan::PlanOutcome;
use crate::relay::refusals::no_count;
use crate::relay::{Case, Relay};
use crate::upstream::bedrock::BedrockFailure;
use crate::upstream::bedrock::diagnose::diagnose;

impl Relay {
    /// The plan counts; where it cannot, Bedrock does.
    ///
    /// # Errors
    /// What the client is told when the plan gave no answer and Bedrock does not count either.
    pub(in crate::relay) async fn plan_then_bedrock_counts(
        &self,
        case: &Case<'_>,
        meter: &mut RequestMeter,
    ) -> Result<Answer, Failure> {
        meter.asks_plan();
        let (fault, otherwise) = match self.ask_plan(case.exchange, None, meter).await? {
            PlanOutcome::Answer(answer) => return Ok(answer),
            PlanOutcome::Fault(fault, otherwise) => (fault, otherwise),
        };
        if let Some(answer) = self.count(case, Some(fault.reason), meter).await {
            return Ok(answer);
        }
        meter.asks_plan();
        otherwise
    }

    /// Bedrock counts.
    ///
    /// # Errors
    /// 501 where it does not: the client estimates then.
    pub(in crate::relay) async fn bedrock_counts(
        &self,
        case: &Case<'_>,
        meter: &mut RequestMeter,
    ) -> Result<Answer, Failure> {
        self.count(case, None, meter).await.ok_or_else(no_count)
    }

    /// Whether Bedrock counts tokens for a model, by the table and by what was learnt.
    pub(in crate::relay) fn counts_tokens(&self, target: &BedrockTarget) -> bool {
        let refused = |known: &Refusal| known.kind == RefusalKind::CountTokens;
        self.bedrock.counts_tokens(&target.model)
            && !self.repairs.learned.refusals(target, Utc::now()).iter().any(refused)
    }

    fn did_not_count(&self, case: &Case<'_>, failure: &BedrockFailure) {
        tracing::info!(status = failure.status, code = failure.code, "Bedrock did not count tokens");
        let diagnosis = (failure.status == 400).then(|| diagnose(&failure.message)).flatten();
        let about_counting = |refusal: &&Refusal| refusal.kind == RefusalKind::CountTokens;
        let refused: Vec<Refusal> =
            diagnosis.iter().flat_map(|diagnosis| diagnosis.refusals.iter().filter(about_counting)).cloned().collect();
        self.repairs.learn(self.target(case), &refused);
    }

    async fn count(
        &self,
        case: &Case<'_>,
        fallback: Option<FallbackReason>,
        meter: &mut RequestMeter,
    ) -> Option<Answer> {
        let prepared = self.prepare(case, Dialect::Invoke).await.ok()?;
        meter.asks_bedrock_to_count(fallback);
        let asked = Instant::now();
        let counted = self.bedrock.count_tokens(&prepared.original.target, &prepared.key, &prepared.bridged.body).await;
        meter.waited(asked.elapsed());
        let tokens = counted.inspect_err(|failure| self.did_not_count(case, failure)).ok()?;
        Some(Answer {
            status: 200,
            headers: answer_headers(false, &prepared.bridged.edits),
            served: Some(Served { provider: Provider::Bedrock, fallback }),
            body: AnswerBody::Unmetered(format!("{{\"input_tokens\":{tokens}}}").into()),
        })
    }
}
