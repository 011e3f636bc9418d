//! Values of one series: in buckets for ever, and exactly for the minute, where somebody takes the minute away.

use std::sync::{Mutex, MutexGuard, PoisonError};

use metrics::HistogramFn;

use super::values::Values;

/// Upper bounds of the buckets, in milliseconds: from what a proxy adds to what a long answer takes.
pub(super) const BOUNDS: [u64; 18] =
    [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000];

/// The values, in milliseconds. The lock is held for some nanoseconds and never across a wait.
#[derive(Debug)]
pub(super) struct Distribution {
    state: Mutex<State>,
    keeps_minute: bool,
}

#[derive(Debug, Default)]
struct State {
    buckets: Buckets,
    minute: Values,
}

/// All values so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets {
    /// How many were in each bucket, the last one without a bound.
    pub(super) counts: [u64; BOUNDS.len() + 1],
    /// Their sum in milliseconds.
    pub(super) sum: u64,
}

impl Distribution {
    /// `keeps_minute`: somebody calls [`Self::take_minute`].
    pub(super) fn new(keeps_minute: bool) -> Self {
        Self { state: Mutex::default(), keeps_minute }
    }

    /// All values so far.
    pub(super) fn buckets(&self) -> Buckets {
        self.lock().buckets.clone()
    }

    /// The values since the last time.
    pub(super) fn take_minute(&self) -> Values {
        std::mem::take(&mut self.lock().minute)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A number more or less is no reason to end.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HistogramFn for Distribution {
    fn record(&self, milliseconds: f64) {
        let value = whole(milliseconds);
        let mut state = self.lock();
        state.buckets.counts[BOUNDS.partition_point(|bound| *bound < value)] += 1;
        state.buckets.sum = state.buckets.sum.saturating_add(value);
        if self.keeps_minute {
            state.minute.add(value);
        }
    }
}

/// The nearest whole number that is none below zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and makes 0 of what is no number"
)]
pub(super) fn whole(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_and_a_bound_belongs_to_its_bucket() {
        let distribution = Distribution::new(true);
        for value in [0.4, 0.5, 1.4, 2.0, 700_000.0, f64::NAN, -3.0] {
            distribution.record(value);
        }
        let Buckets { counts, sum } = distribution.buckets();
        assert_eq!((counts[0], counts[1], counts[BOUNDS.len()], sum), (5, 1, 1, 700_004));
        assert_eq!(distribution.take_minute().iter().collect::<Vec<_>>(), [(0, 3), (1, 2), (2, 1), (700_000, 1)]);
        assert_eq!(distribution.take_minute(), Values::default());
    }

    #[test]
    fn a_minute_that_nobody_takes_is_not_kept() {
        let distribution = Distribution::new(false);
        distribution.record(7.0);
        assert_eq!(distribution.take_minute(), Values::default());
        assert_eq!(distribution.buckets().sum, 7);
    }
}
