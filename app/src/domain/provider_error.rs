//! How a provider failed: the closed list that metrics and people count by.

use super::FallbackReason;

/// A failure of a provider; what is wrong with a request, and limits of a plan, are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ProviderError {
    /// It has no room at the moment.
    Overloaded,
    /// It failed inside.
    ServerError,
    /// There was no connection to it.
    Unreachable,
    /// It did not begin to answer in time.
    Timeout,
    /// Its answer is none of the Messages API.
    InvalidAnswer,
    /// Its answer broke off.
    BrokenStream,
    /// Its stream ended with an error.
    StreamError,
    /// Bedrock was asked for too much at a time; nobody else is left to ask.
    Throttled,
    /// Bedrock refused the registered key.
    KeyRefused,
    /// Bedrock has the registered model not, or not in this form.
    ModelRefused,
}

impl ProviderError {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Overloaded,
        Self::ServerError,
        Self::Unreachable,
        Self::Timeout,
        Self::InvalidAnswer,
        Self::BrokenStream,
        Self::StreamError,
        Self::Throttled,
        Self::KeyRefused,
        Self::ModelRefused,
    ];

    /// The name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overloaded => "overloaded",
            Self::ServerError => "server_error",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::InvalidAnswer => "invalid_answer",
            Self::BrokenStream => "broken_stream",
            Self::StreamError => "stream_error",
            Self::Throttled => "throttled",
            Self::KeyRefused => "key_refused",
            Self::ModelRefused => "model_refused",
        }
    }

    /// The failure of the plan behind a fallback; `None` for limits, and where the plan was not asked.
    pub fn of_plan(reason: FallbackReason) -> Option<Self> {
        match reason {
            FallbackReason::Overloaded => Some(Self::Overloaded),
            FallbackReason::ServerError => Some(Self::ServerError),
            FallbackReason::Unreachable => Some(Self::Unreachable),
            FallbackReason::FirstByteTimeout => Some(Self::Timeout),
            FallbackReason::InvalidAnswer => Some(Self::InvalidAnswer),
            FallbackReason::BrokenStream => Some(Self::BrokenStream),
            FallbackReason::PlanLimit
            | FallbackReason::Throttled
            | FallbackReason::ExtraUsage
            | FallbackReason::SpendLimit
            | FallbackReason::CircuitOpen
            | FallbackReason::Staying => None,
        }
    }

    /// The failure behind a status that is told to the client of Bedrock's side; `None`: the request itself is at fault.
    pub fn of_status(status: u16) -> Option<Self> {
        match status {
            401 | 403 => Some(Self::KeyRefused),
            408 | 504 => Some(Self::Timeout),
            429 => Some(Self::Throttled),
            503 | 529 => Some(Self::Overloaded),
            500.. => Some(Self::ServerError),
            _ => None,
        }
    }
}
