//! The budget of a request's user, before Bedrock is asked and on its answer.

use chrono::Utc;
use http::{HeaderMap, HeaderValue};

use super::Relay;
use super::answer::Answer;
use crate::domain::budget::Standing;
use crate::domain::{ClientPrincipal, Failure};
use crate::telemetry::counters;
use crate::wire::headers;

/// What the client is told of the budget with an answer of Bedrock: the percent that are spent, if that is most of it.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct BudgetNotice(Option<u32>);

impl Relay {
    /// Whether Bedrock may be asked to run a model for this holder.
    ///
    /// # Errors
    /// What the client is told, if nobody else serves.
    pub(super) fn may_spend(&self, principal: &ClientPrincipal) -> Result<BudgetNotice, Failure> {
        let now = Utc::now();
        match self.budgets.check(principal, now) {
            Standing::Open => Ok(BudgetNotice(None)),
            Standing::Near(percent) => Ok(BudgetNotice(Some(percent))),
            Standing::Spent(spent) => {
                counters::budget_refused();
                tracing::info!(user_id = %principal.user_id, "the monthly budget is spent; Bedrock is not asked");
                Err(spent.refusal(now))
            }
        }
    }
}

impl BudgetNotice {
    /// The answer with it.
    pub(super) fn on(self, mut answer: Answer) -> Answer {
        self.write(&mut answer.headers);
        answer
    }

    /// Writes it into the headers of an answer.
    pub(super) fn write(self, map: &mut HeaderMap) {
        if let Some(Ok(value)) = self.0.map(|percent| HeaderValue::try_from(format!("{percent}%"))) {
            map.insert(headers::BUDGET, value);
        }
    }
}
