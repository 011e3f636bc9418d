//! What is counted, each by its name and with labels from closed sets; whoever wants to see it installs a recorder.

use metrics::counter;

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
