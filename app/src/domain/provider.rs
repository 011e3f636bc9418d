//! The two places that can answer a request, and why a request went to the second.

/// Who served a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Provider {
    /// api.anthropic.com with the developer's own login, or the default plan key.
    Plan,
    /// Amazon Bedrock with the Bedrock API key of the access key.
    Bedrock,
}

impl Provider {
    /// The name in headers, logs, metrics and in `token_usage.provider`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Bedrock => "bedrock",
        }
    }
}

/// Why the plan did not serve a request; the value of `x-ccp-fallback`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FallbackReason {
    /// 429 with `anthropic-ratelimit-unified-*`: the developer's plan is used up for now.
    PlanLimit,
    /// 429 without them: requests came too fast.
    Throttled,
    /// 529, or an error body that says `overloaded_error`.
    Overloaded,
    /// 500, 502, 503, 504, 520 to 524.
    ServerError,
    /// No connection: name resolution, TCP or TLS failed, or the connection broke before the answer.
    Unreachable,
    /// No answer within the first-byte time-out.
    FirstByteTimeout,
    /// An answer that no Messages API gives, such as a redirect.
    InvalidAnswer,
}

impl FallbackReason {
    /// The value of the header and of the log field.
    pub fn name(self) -> &'static str {
        match self {
            Self::PlanLimit => "plan_limit",
            Self::Throttled => "throttled",
            Self::Overloaded => "overloaded",
            Self::ServerError => "server_error",
            Self::Unreachable => "unreachable",
            Self::FirstByteTimeout => "first_byte_timeout",
            Self::InvalidAnswer => "invalid_answer",
        }
    }
}
