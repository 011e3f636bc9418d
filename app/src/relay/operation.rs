//! The operations that the proxy tells apart.

/// What a request asks for, as far as the proxy treats it differently.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// `POST /v1/messages`: the plan, else Bedrock.
    Messages,
    /// `POST /v1/messages/count_tokens`: the plan, else Bedrock where it counts for the model.
    CountTokens,
    /// `GET /v1/models`: the plan, or memory for those who have none.
    ListModels,
    /// `GET /v1/models/{id}`: the same.
    GetModel,
    /// Anything else under `/v1`: the plan only.
    Passthrough,
}

impl Operation {
    /// The name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::CountTokens => "count_tokens",
            Self::ListModels => "list_models",
            Self::GetModel => "get_model",
            Self::Passthrough => "passthrough",
        }
    }

    /// Whether the body names a model to be asked.
    pub(super) fn is_about_a_message(self) -> bool {
        matches!(self, Self::Messages | Self::CountTokens)
    }

    /// Whether there is an answer without the plan for a key that has Bedrock; `counts`: the model counts tokens there.
    pub(super) fn works_without_the_plan(self, counts: impl FnOnce() -> bool) -> bool {
        match self {
            Self::Messages | Self::ListModels | Self::GetModel => true,
            Self::CountTokens => counts(),
            Self::Passthrough => false,
        }
    }
}
