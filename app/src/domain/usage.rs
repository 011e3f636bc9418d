//! What a request consumed, and how it ended.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Cost, FallbackReason, Provider};

/// Tokens of one answer, as the provider counted them. Input excludes what was read from or written to the cache.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TokenUsage {
    /// Prompt tokens outside the cache.
    pub input: u32,
    /// Tokens of the answer, thinking included.
    pub output: u32,
    /// Prompt tokens read from the cache.
    pub cache_read: u32,
    /// Prompt tokens written to the cache, whatever their time to live.
    pub cache_creation: u32,
    /// Part of `cache_creation` that lives 5 minutes, where the provider says so.
    pub cache_creation_5m: u32,
    /// Part of `cache_creation` that lives 1 hour, where the provider says so.
    pub cache_creation_1h: u32,
    /// Searches that the provider ran itself; they are no tokens.
    pub web_search_requests: u32,
}

impl TokenUsage {
    /// Everything that was counted.
    pub fn total(&self) -> u64 {
        [self.input, self.output, self.cache_read, self.cache_creation].map(u64::from).iter().sum()
    }

    /// What was written to the cache, for 5 minutes and for 1 hour. What nobody says the life of lives 5 minutes, and
    /// where the parts are more than the sum, they count.
    pub fn cache_writes(&self) -> (u32, u32) {
        let rest = self.cache_creation.saturating_sub(self.cache_creation_1h);
        (rest.max(self.cache_creation_5m), self.cache_creation_1h)
    }

    /// The whole prompt, wherever it was read from.
    pub fn prompt(&self) -> u64 {
        let (short, long) = self.cache_writes();
        [self.input, self.cache_read, short, long].map(u64::from).iter().sum()
    }
}

/// How a request ended, as seen at the end of its body.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The whole answer was relayed.
    Completed,
    /// The client left before the end.
    Cancelled,
    /// The provider reported an error.
    Failed,
    /// The provider's connection ended or broke in mid-answer.
    Truncated,
}

impl Outcome {
    /// The value of `token_usage.outcome` and of the log field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Truncated => "truncated",
        }
    }
}

/// Why a request was served as it was.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Route {
    /// Why it was not the plan that served, if it should have been.
    pub fallback: Option<FallbackReason>,
    /// How the plan's circuit was: `closed`, `open`, `half_open`. Missing in records from before it was kept.
    pub circuit: Option<String>,
    /// What was left out for Bedrock, as in `x-ccp-bedrock-dropped`, at most [`DROPPED_LENGTH`] characters of it.
    pub dropped: Option<String>,
}

/// What fits into `token_usage.bedrock_dropped`.
pub const DROPPED_LENGTH: usize = 1000;

/// One row of `token_usage`: one request that was metered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UsageRecord {
    /// The proxy's own id of the request; identity of the row.
    pub request_id: Uuid,
    /// When the request arrived.
    pub timestamp: DateTime<Utc>,
    /// `users.id`
    pub user_id: Uuid,
    /// `access_keys.id`
    pub access_key_id: Uuid,
    /// The model that the client asked for.
    pub model: String,
    /// The Bedrock model id, profile or ARN that was called; of the plan, the model that its answer names.
    pub upstream_model: String,
    /// The provider's id of the answer (`msg_...`), where it came so far.
    pub upstream_message_id: Option<String>,
    /// What was consumed.
    pub tokens: TokenUsage,
    /// Whether some of `tokens` is an estimate, because the final count never came.
    pub estimated: bool,
    /// What it cost; `None` before it was priced.
    pub cost: Option<Cost>,
    /// Who served it.
    pub provider: Provider,
    /// Whether the plan was tried first.
    pub is_fallback: bool,
    /// Why it came to that.
    #[serde(default)]
    pub route: Route,
    /// From the arrival of the request to the end of the answer, milliseconds.
    pub latency_ms: u32,
    /// From the arrival of the request to the first event of the answer, milliseconds.
    pub time_to_first_token_ms: Option<u32>,
    /// How it ended.
    pub outcome: Outcome,
    /// Claude Code's session, from `x-claude-code-session-id`.
    pub session_id: Option<String>,
    /// Claude Code's subagent, from `x-claude-code-agent-id`.
    pub agent_id: Option<String>,
}
