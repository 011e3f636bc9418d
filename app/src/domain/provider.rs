//! The two places that can answer a request, and why a request went to the second.

use serde::{Deserialize, Serialize};

/// Who served a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// api.anthropic.com with the developer's own login, or the default plan key.
    Plan,
    /// Amazon Bedrock with the Bedrock API key of the access key.
    Bedrock,
}

impl Provider {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Plan, Self::Bedrock];

    /// The name in headers, logs, metrics and in `token_usage.provider`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Bedrock => "bedrock",
        }
    }
}

/// Why the plan did not serve a request; the value of `x-ccp-fallback`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FallbackReason {
    /// 429 with `anthropic-ratelimit-unified-*`: the developer's plan is used up for now.
    PlanLimit,
    /// 429 without them: requests came too fast.
    Throttled,
    /// 429 because the request wants more than the plan includes, such as extra usage for a long context.
    ExtraUsage,
    /// 429 because a spending limit is reached.
    SpendLimit,
    /// 529, or an `overloaded_error` in a stream.
    Overloaded,
    /// 500, 502, 503, 504, 520 to 524, or an `api_error` in a stream.
    ServerError,
    /// No connection: name resolution, TCP or TLS failed, or the connection broke before the answer.
    Unreachable,
    /// No answer within the first-byte time-out.
    FirstByteTimeout,
    /// An answer that no Messages API gives, such as a redirect.
    InvalidAnswer,
    /// A stream that ended or broke before its first content.
    BrokenStream,
    /// The plan was not asked: its circuit is open.
    CircuitOpen,
    /// The plan was not asked: the conversation is in the middle of a turn that Bedrock began.
    Staying,
}

impl FallbackReason {
    /// The value of the header and of the log field.
    pub fn name(self) -> &'static str {
        match self {
            Self::PlanLimit => "plan_limit",
            Self::Throttled => "throttled",
            Self::ExtraUsage => "extra_usage",
            Self::SpendLimit => "spend_limit",
            Self::Overloaded => "overloaded",
            Self::ServerError => "server_error",
            Self::Unreachable => "unreachable",
            Self::FirstByteTimeout => "first_byte_timeout",
            Self::InvalidAnswer => "invalid_answer",
            Self::BrokenStream => "broken_stream",
            Self::CircuitOpen => "circuit_open",
            Self::Staying => "staying",
        }
    }
}

/// How an administrator wants a user's requests served; `users.routing_strategy`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub enum RoutingStrategy {
    /// The plan, and Bedrock when the plan cannot serve.
    #[default]
    PlanFirst,
    /// Bedrock, without asking the plan.
    BedrockOnly,
    /// The plan and nothing else.
    PlanOnly,
}

impl RoutingStrategy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PlanFirst, Self::BedrockOnly, Self::PlanOnly];

    /// The value in the database and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::PlanFirst => "plan_first",
            Self::BedrockOnly => "bedrock_only",
            Self::PlanOnly => "plan_only",
        }
    }

    /// Reads the value of the database or of the command line.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strategy| strategy.name() == text)
    }
}
