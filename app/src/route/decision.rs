//! Decides which providers may serve a request.

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
    Nowhere,
}

/// What the decision rests on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Means {
    /// The request brings a credential for the plan, or there is a default plan key.
    pub plan_credential: bool,
    /// A Bedrock key is registered for the access key.
    pub bedrock_key: bool,
    /// The body is small enough for Bedrock.
    pub fits_bedrock: bool,
}

/// The plan first, as long as there is a way to log in to it; Bedrock where it can take the request.
pub fn decide(means: Means) -> Decision {
    match (means.plan_credential, means.bedrock_key && means.fits_bedrock) {
        (true, true) => Decision::PlanThenBedrock,
        (true, false) => Decision::PlanOnly,
        (false, true) => Decision::BedrockOnly,
        (false, false) => Decision::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_has_its_way() {
        let cases = [
            ((true, true, true), Decision::PlanThenBedrock),
            ((true, true, false), Decision::PlanOnly),
            ((true, false, true), Decision::PlanOnly),
            ((true, false, false), Decision::PlanOnly),
            ((false, true, true), Decision::BedrockOnly),
            ((false, true, false), Decision::Nowhere),
            ((false, false, true), Decision::Nowhere),
            ((false, false, false), Decision::Nowhere),
        ];
        for ((plan_credential, bedrock_key, fits_bedrock), expected) in cases {
            let means = Means { plan_credential, bedrock_key, fits_bedrock };
            assert_eq!(decide(means), expected, "{means:?}");
        }
    }
}
