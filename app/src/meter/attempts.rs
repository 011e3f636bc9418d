//! What the metrics are told of a request: who was asked, who failed, and how much of the time was the proxy's own.

use std::time::{Duration, Instant};

use crate::domain::{Outcome, Provider, ProviderError};
use crate::telemetry::counters;

/// The tries of one request, of which there is one at each provider at the most.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    plan: Attempt,
    bedrock: Attempt,
    fell_back: bool,
    last: Option<Provider>,
    /// How much of the time the last try waited for its provider.
    waited: Duration,
    /// Since when the client waits for the body of an answer whose head it has.
    relaying: Option<Instant>,
}

#[derive(Debug, Default)]
struct Attempt {
    asked: bool,
    error: Option<ProviderError>,
}

impl Attempts {
    /// This provider is asked, in the place of the plan or of its own right. The time that earlier tries took is the
    /// proxy's from now on: a direct connection would not have had them.
    pub(super) fn begin(&mut self, provider: Provider, fallback: bool) {
        self.of(provider).asked = true;
        self.waited = Duration::ZERO;
        self.last = Some(provider);
        if fallback {
            // Passed over or asked in vain, it was the plan's to serve: the share of fallbacks is one of its requests.
            self.plan.asked = true;
            self.fell_back = true;
        }
    }

    /// The last try waited for its provider for so long.
    pub(super) fn waited(&mut self, time: Duration) {
        self.waited += time;
    }

    /// The head of the answer goes out.
    pub(super) fn relays(&mut self) {
        self.relaying = Some(Instant::now());
    }

    /// The first byte of the body has come.
    pub(super) fn first_byte(&mut self) {
        self.waited += self.relaying.take().map(|since| since.elapsed()).unwrap_or_default();
    }

    /// A provider failed.
    pub(super) fn failed(&mut self, provider: Provider, error: ProviderError) {
        self.of(provider).error.get_or_insert(error);
    }

    /// What of a time that began with the arrival of the request was neither upload nor waiting for who answers.
    pub(super) fn added(&self, time: Duration, uploading: Duration) -> Duration {
        time.saturating_sub(self.waited).saturating_sub(uploading)
    }

    /// The answer has ended like this, after a head with this status. What went wrong before is known by then.
    pub(super) fn ended(&mut self, outcome: Outcome, status: u16) {
        let error = match outcome {
            Outcome::Truncated => ProviderError::BrokenStream,
            Outcome::Failed if status < 300 => ProviderError::StreamError,
            Outcome::Failed | Outcome::Completed | Outcome::Cancelled => return,
        };
        if let Some(provider) = self.last {
            self.failed(provider, error);
        }
    }

    /// Counts it all, once.
    pub(super) fn count(&self) {
        for (provider, attempt) in [(Provider::Plan, &self.plan), (Provider::Bedrock, &self.bedrock)] {
            if attempt.asked {
                counters::request(provider);
            }
            if let Some(error) = attempt.error {
                counters::provider_failed(provider, error);
            }
        }
        if self.fell_back {
            counters::fallback();
        }
    }

    fn of(&mut self, provider: Provider) -> &mut Attempt {
        match provider {
            Provider::Plan => &mut self.plan,
            Provider::Bedrock => &mut self.bedrock,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn failed_tries_are_the_proxys_time_and_the_last_wait_is_not() {
        let mut attempts = Attempts::default();
        attempts.begin(Provider::Plan, false);
        attempts.waited(2 * SECOND);
        attempts.begin(Provider::Bedrock, true);
        attempts.waited(5 * SECOND);
        assert_eq!(attempts.added(9 * SECOND, SECOND), 3 * SECOND);
    }

    #[test]
    fn what_broke_in_the_end_is_the_failure_of_who_answered_and_the_first_one_counts() {
        let mut attempts = Attempts::default();
        attempts.begin(Provider::Plan, false);
        attempts.failed(Provider::Plan, ProviderError::Overloaded);
        attempts.ended(Outcome::Truncated, 200);
        assert_eq!(attempts.plan.error, Some(ProviderError::Overloaded));
        attempts.begin(Provider::Bedrock, true);
        attempts.ended(Outcome::Failed, 200);
        assert_eq!(attempts.bedrock.error, Some(ProviderError::StreamError));
        for (outcome, status) in [(Outcome::Cancelled, 200), (Outcome::Completed, 200), (Outcome::Failed, 400)] {
            let mut attempts = Attempts::default();
            attempts.begin(Provider::Bedrock, false);
            attempts.ended(outcome, status);
            assert_eq!(attempts.bedrock.error, None, "{outcome:?}");
        }
    }
}
