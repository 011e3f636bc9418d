//! Replies as api.anthropic.com gives them.

use super::Reply;
use crate::claude::{Answer, REQUEST_ID, error_json};
use crate::sse;

impl Reply {
    /// A whole answer of the plan.
    pub fn plan_json(answer: &Answer) -> Self {
        Self::json(200, answer.to_json()).with_header("request-id", REQUEST_ID)
    }

    /// An answer of the plan as a stream, each event in a piece of its own.
    pub fn plan_stream(answer: &Answer) -> Self {
        Self::chunks(answer.to_events().iter().map(sse::ServerEvent::to_bytes)).as_plan_stream()
    }

    /// The same with the headers of a stream of the plan; for stepped, cut and hand-made bodies.
    #[must_use]
    pub fn as_plan_stream(self) -> Self {
        self.with_header("content-type", "text/event-stream; charset=utf-8")
            .with_header("cache-control", "no-cache")
            .with_header("request-id", REQUEST_ID)
    }

    /// An error of the plan, in Anthropic's shape.
    pub fn plan_error(status: u16, kind: &str, message: &str) -> Self {
        Self::json(status, error_json(kind, message)).with_header("request-id", REQUEST_ID)
    }

    /// The plan's limit is reached, and lifted at `reset`, in seconds since 1970.
    pub fn plan_limited(reset: u64) -> Self {
        let reset = reset.to_string();
        Self::plan_error(429, "rate_limit_error", "The limit of this plan is reached. It is lifted at the time given.")
            .with_header("anthropic-ratelimit-unified-status", "rejected")
            .with_header("anthropic-ratelimit-unified-reset", &reset)
            .with_header("anthropic-ratelimit-unified-representative-claim", "five_hour")
            .with_header("anthropic-ratelimit-unified-5h-status", "rejected")
            .with_header("anthropic-ratelimit-unified-5h-reset", &reset)
            .with_header("anthropic-ratelimit-unified-5h-utilization", "1.0")
            .with_header("anthropic-ratelimit-unified-overage-status", "rejected")
    }

    /// Too many requests for the moment: a 429 without any word on a plan, with `retry-after` in seconds or without.
    pub fn throttled(retry_after: Option<u64>) -> Self {
        let reply = Self::plan_error(429, "rate_limit_error", "Too many requests in too short a time. Try again soon.");
        match retry_after {
            Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
            None => reply,
        }
    }

    /// Anthropic has too much to do.
    pub fn overloaded() -> Self {
        Self::plan_error(529, "overloaded_error", "Overloaded")
    }
}
