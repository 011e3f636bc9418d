//! What an answer of the plan means: relay it, or try Bedrock, and what it says about the requests to come.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde::Deserialize;

use crate::domain::FallbackReason;

/// A throttle that names a longer wait than this says nothing about when the next request may come.
const LONGEST_THROTTLE: Duration = Duration::from_mins(1);
/// No limit of a plan lasts longer; a reset further away is taken for a mistake and shortened.
const LONGEST_LIMIT: Duration = Duration::from_hours(8 * 24);
const UNIFIED: &str = "anthropic-ratelimit-unified-";

/// The meaning of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The client gets it as it is, and the plan works: a success, or an error that the client heals itself.
    Relay,
    /// Bedrock may serve the request instead; without Bedrock the client gets the answer as it is.
    FallBack(Fault),
    /// Nothing that may reach a client (a redirect would be followed, credentials and all): Bedrock, else 502.
    Refuse(Fault),
}

/// A failure of the plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What the client is told when Bedrock serves.
    pub reason: FallbackReason,
    /// What it says about the requests to come.
    pub effect: Effect,
}

/// What a failure says about the requests to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing: it is about this request alone.
    None,
    /// One more failure of this credential; the breaker counts.
    Counts,
    /// One more failure of the plan itself, whoever asks; both breakers count.
    CountsForAll,
    /// This credential is not served for so long, by the plan's own word.
    ClosedFor(Duration),
}

impl Fault {
    const fn new(reason: FallbackReason, effect: Effect) -> Self {
        Self { reason, effect }
    }
}

/// Reads the status and, for 429, headers and body. `now` is the time in seconds since 1970, against which the plan
/// gives its resets.
pub fn classify(status: u16, headers: &HeaderMap, body: &[u8], now: u64) -> Verdict {
    use Effect::CountsForAll;
    match status {
        429 => Verdict::FallBack(too_many(headers, body, now)),
        529 => Verdict::FallBack(Fault::new(FallbackReason::Overloaded, CountsForAll)),
        500 | 502 | 503 | 504 | 520..=524 => Verdict::FallBack(Fault::new(FallbackReason::ServerError, CountsForAll)),
        // A client would follow it, credentials and all. (304 is an answer to a conditional request and passes.)
        301 | 302 | 303 | 307 | 308 => Verdict::Refuse(Fault::new(FallbackReason::InvalidAnswer, CountsForAll)),
        _ => Verdict::Relay,
    }
}

/// What an `error` event means that comes before any content, by its `error.type`; `None`: it is the client's to see.
pub fn classify_event(error_type: &str) -> Option<Fault> {
    match error_type {
        "overloaded_error" => Some(Fault::new(FallbackReason::Overloaded, Effect::CountsForAll)),
        "api_error" => Some(Fault::new(FallbackReason::ServerError, Effect::CountsForAll)),
        "rate_limit_error" => Some(Fault::new(FallbackReason::Throttled, Effect::Counts)),
        _ => None,
    }
}

/// What it means that no answer came, or that a stream ended before its first content.
pub fn without_answer(reason: FallbackReason) -> Fault {
    Fault::new(reason, Effect::CountsForAll)
}

/// The family of 429: a plan that is used up, a throttle, or something that this request alone may not have.
fn too_many(headers: &HeaderMap, body: &[u8], now: u64) -> Fault {
    let error = ErrorBody::read(body);
    if error.wants_extra_usage() {
        return Fault::new(FallbackReason::ExtraUsage, Effect::None);
    }
    let reset = reset_after(headers, now);
    if error.is_spend_limit() && reset.is_none() {
        return Fault::new(FallbackReason::SpendLimit, Effect::None);
    }
    let retry_after = seconds(headers, RETRY_AFTER.as_str()).map(Duration::from_secs).filter(|wait| !wait.is_zero());
    if names_a_limit(headers) {
        let wait = reset.or(retry_after).map(|wait| wait.min(LONGEST_LIMIT));
        return Fault::new(FallbackReason::PlanLimit, wait.map_or(Effect::Counts, Effect::ClosedFor));
    }
    let short = retry_after.filter(|wait| *wait <= LONGEST_THROTTLE);
    Fault::new(FallbackReason::Throttled, short.map_or(Effect::Counts, Effect::ClosedFor))
}

/// Whether the headers say that the plan is used up. A throttle can carry those of a plan that is in good health, where
/// every status says so.
fn names_a_limit(headers: &HeaderMap) -> bool {
    let mut unified = headers.iter().filter(|(name, _)| name.as_str().starts_with(UNIFIED)).peekable();
    let some = unified.peek().is_some();
    let mut statuses = unified.filter(|(name, _)| name.as_str().ends_with("-status")).peekable();
    some && (statuses.peek().is_none() || statuses.any(|(_, status)| status.as_bytes() == b"rejected"))
}

/// How long until the plan serves again: the reset that it names, else the latest reset of the windows it has closed.
fn reset_after(headers: &HeaderMap, now: u64) -> Option<Duration> {
    let named = seconds(headers, "anthropic-ratelimit-unified-reset");
    let of_windows = headers.iter().filter_map(|(name, status)| {
        let window = name.as_str().strip_prefix(UNIFIED)?.strip_suffix("-status")?;
        let closed = status.as_bytes() == b"rejected";
        closed.then(|| seconds(headers, &format!("{UNIFIED}{window}-reset")))?
    });
    let reset = named.or_else(|| of_windows.max())?;
    reset.checked_sub(now).filter(|wait| *wait > 0).map(Duration::from_secs)
}

fn seconds(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The part of an error's body that tells one 429 from another.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    error: ErrorPart,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorPart {
    r#type: String,
    message: String,
}

impl ErrorBody {
    fn read(body: &[u8]) -> Self {
        let mut read: Self = serde_json::from_slice(body).unwrap_or_default();
        read.error.message.make_ascii_lowercase();
        read
    }

    /// `Extra usage is required for ...`, `Usage credits are required for 1M context`.
    fn wants_extra_usage(&self) -> bool {
        let message = &self.error.message;
        (message.contains("extra usage") || message.contains("usage credits")) && message.contains("required")
    }

    /// Caps on money: the official `billing_error`, or a message that names the spend.
    fn is_spend_limit(&self) -> bool {
        let message = &self.error.message;
        let named = ["spend limit", "spending limit", "spend cap", "spending cap", "monthly cap"];
        self.error.r#type == "billing_error" || named.iter().any(|name| message.contains(name))
    }
}

#[cfg(test)]
mod tests;
