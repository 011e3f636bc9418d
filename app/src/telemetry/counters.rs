//! What is counted, each by its name and with labels from closed sets; whoever wants to see it installs a recorder.

use std::time::Duration;

use metrics::{counter, gauge};

use crate::domain::RefusalKind;
use crate::domain::refusal::known_field;

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
    gauge!("usage_journal_bytes").set(journal_bytes);
    gauge!("usage_oldest_seconds").set(oldest.as_secs_f64());
}
