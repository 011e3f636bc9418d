//! What is counted, each by its name in the catalogue and with labels from closed sets; whoever wants to see it installs a
//! recorder.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::domain::refusal::known_field;
use crate::domain::{Provider, ProviderError, RefusalKind, TokenUsage};

/// A request was this provider's to serve.
pub fn request(provider: Provider) {
    counter!("request_count", "provider" => provider.name()).increment(1);
}

/// A provider failed.
pub fn provider_failed(provider: Provider, error: ProviderError) {
    counter!("error_count", "provider" => provider.name(), "error_type" => error.name()).increment(1);
}

/// Bedrock was asked in the place of the plan.
pub fn fallback() {
    counter!("fallback_count").increment(1);
}

/// What the proxy has added to the time until the first byte of an answer of this provider.
pub fn request_latency(provider: Provider, added: Duration) {
    histogram!("request_latency", "provider" => provider.name()).record(milliseconds(added));
}

/// The time from the arrival of a request to the first byte of this provider's answer.
pub fn time_to_first_byte(provider: Provider, time: Duration) {
    histogram!("time_to_first_byte", "provider" => provider.name()).record(milliseconds(time));
}

/// The time from the arrival of a request to the end of this provider's answer.
pub fn request_duration(provider: Provider, time: Duration) {
    histogram!("request_duration", "provider" => provider.name()).record(milliseconds(time));
}

/// Bedrock has counted these tokens.
pub fn bedrock_tokens(tokens: &TokenUsage) {
    for (kind, number) in [
        ("input", tokens.input),
        ("output", tokens.output),
        ("cache_read", tokens.cache_read),
        ("cache_write", tokens.cache_creation),
    ] {
        counter!("bedrock_tokens_used", "token_type" => kind).increment(number.into());
    }
}

/// So many providers are not asked at the moment.
pub fn open_circuits(number: u32) {
    gauge!("circuit_open").set(f64::from(number));
}

/// A request is being served from now on, until what is returned is dropped.
#[must_use]
pub fn in_flight() -> OneInFlight {
    gauge!("in_flight").increment(1.0);
    OneInFlight
}

/// A request that is being served.
#[derive(Debug)]
pub struct OneInFlight;

impl Drop for OneInFlight {
    fn drop(&mut self) {
        gauge!("in_flight").decrement(1.0);
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// A field was left out for Bedrock; one that nobody has heard of counts as `other`.
pub fn field_dropped(path: &str) {
    counter!("field_dropped", "field" => known_field(path).unwrap_or("other")).increment(1);
}

/// A request that a model refused was tried again without what it refuses.
pub fn bedrock_repair(kind: RefusalKind) {
    counter!("bedrock_repair", "kind" => kind.name()).increment(1);
}

/// A throttled call of Bedrock was tried again.
pub fn bedrock_throttle_retry() {
    counter!("bedrock_throttle_retry").increment(1);
}

/// Bedrock refused the key of an access key.
pub fn bedrock_key_refused() {
    counter!("bedrock_key_refused").increment(1);
}

/// Bedrock was not asked, because the user's budget is spent.
pub fn budget_refused() {
    counter!("budget_refused").increment(1);
}

/// A request was served by a model without a price, and the dearest known one was taken.
pub fn price_missing(family: &'static str) {
    counter!("price_missing", "family" => family).increment(1);
}

/// Why a model went on without its own earlier thinking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContinuityLost {
    /// The blocks were refused, and left out of the second try.
    Refused,
    /// The other provider took over in the middle of a turn.
    ProviderChanged,
}

/// The thinking of a turn was lost on the way.
pub fn thinking_continuity_lost(cause: ContinuityLost) {
    let cause = match cause {
        ContinuityLost::Refused => "refused",
        ContinuityLost::ProviderChanged => "provider_changed",
    };
    counter!("thinking_continuity_lost", "cause" => cause).increment(1);
}

/// The usage journal did not take a record, because it is `full` or because writing `failed`.
pub fn not_journaled(cause: &'static str) {
    counter!("usage_not_journaled", "cause" => cause).increment(1);
}

/// A line of the usage journal gave no record: it is `damaged`, or of a `newer` version.
pub fn journal_line_unreadable(cause: &'static str) {
    counter!("usage_journal_unreadable", "cause" => cause).increment(1);
}

/// A usage record is in the log and nowhere else.
pub fn usage_in_log_only() {
    counter!("usage_in_log_only").increment(1);
}

/// How much usage waits for the database: records, the size of the journal in bytes, the age of what is being stored.
pub fn usage_waiting(records: usize, journal_bytes: u64, oldest: Duration) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a floating-point number, exact enough up to 2^53")]
    let (records, journal_bytes) = (records as f64, journal_bytes as f64);
    gauge!("usage_queue_depth").set(records);
    gauge!("usage_journal_backlog").set(journal_bytes);
    gauge!("usage_oldest").set(oldest.as_secs_f64());
}
