//! Decides which providers may serve a request.

use crate::domain::RoutingStrategy;

/// The way of one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// The plan, and Bedrock when the plan cannot serve.
    PlanThenBedrock,
    /// The plan; whatever it answers is the answer.
    PlanOnly,
    /// Bedrock, without asking the plan.
    BedrockOnly,
    /// Neither is possible.
    Nowhere(Obstacle),
}

/// Why nobody can serve a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Obstacle {
    /// There is no credential for the plan, and Bedrock cannot or may not serve.
    NoLogin,
    /// The plan alone may serve, and there is no credential for it.
    PlanOnlyWithoutLogin,
    /// Bedrock alone may serve, and no Bedrock key is registered.
    NoBedrockKey,
    /// Bedrock alone could serve, and the body is too large for it.
    TooLarge,
}

/// What the decision rests on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Means {
    /// What the administrator has set for the user.
    pub strategy: RoutingStrategy,
    /// The request brings a credential for the plan, or there is a default plan key.
    pub plan_credential: bool,
    /// A Bedrock key is registered for the access key.
    pub bedrock_key: bool,
    /// The body is small enough for Bedrock.
    pub fits_bedrock: bool,
}

/// The plan first, as long as there is a way to log in to it; Bedrock where it can take the request.
pub fn decide(means: Means) -> Decision {
    let plan = means.plan_credential && means.strategy != RoutingStrategy::BedrockOnly;
    let bedrock = means.bedrock_key && means.strategy != RoutingStrategy::PlanOnly;
    match (plan, bedrock && means.fits_bedrock) {
        (true, true) => Decision::PlanThenBedrock,
        (true, false) => Decision::PlanOnly,
        (false, true) => Decision::BedrockOnly,
        (false, false) if bedrock => Decision::Nowhere(Obstacle::TooLarge),
        (false, false) if means.strategy == RoutingStrategy::PlanOnly => {
            Decision::Nowhere(Obstacle::PlanOnlyWithoutLogin)
        }
        (false, false) if means.strategy == RoutingStrategy::BedrockOnly => Decision::Nowhere(Obstacle::NoBedrockKey),
        (false, false) => Decision::Nowhere(Obstacle::NoLogin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_has_its_way() {
        use Decision::{BedrockOnly, Nowhere, PlanOnly, PlanThenBedrock};
        use Obstacle::{NoBedrockKey, NoLogin, PlanOnlyWithoutLogin, TooLarge};
        // Credential, Bedrock key, fits: plan first, Bedrock only, plan only.
        let rows = [
            ((true, true, true), [PlanThenBedrock, BedrockOnly, PlanOnly]),
            ((true, true, false), [PlanOnly, Nowhere(TooLarge), PlanOnly]),
            ((true, false, true), [PlanOnly, Nowhere(NoBedrockKey), PlanOnly]),
            ((true, false, false), [PlanOnly, Nowhere(NoBedrockKey), PlanOnly]),
            ((false, true, true), [BedrockOnly, BedrockOnly, Nowhere(PlanOnlyWithoutLogin)]),
            ((false, true, false), [Nowhere(TooLarge), Nowhere(TooLarge), Nowhere(PlanOnlyWithoutLogin)]),
            ((false, false, true), [Nowhere(NoLogin), Nowhere(NoBedrockKey), Nowhere(PlanOnlyWithoutLogin)]),
            ((false, false, false), [Nowhere(NoLogin), Nowhere(NoBedrockKey), Nowhere(PlanOnlyWithoutLogin)]),
        ];
        let strategies = [RoutingStrategy::PlanFirst, RoutingStrategy::BedrockOnly, RoutingStrategy::PlanOnly];
        for ((plan_credential, bedrock_key, fits_bedrock), expected) in rows {
            for (strategy, expected) in strategies.into_iter().zip(expected) {
                let means = Means { strategy, plan_credential, bedrock_key, fits_bedrock };
                assert_eq!(decide(means), expected, "{means:?}");
            }
        }
    }
}
