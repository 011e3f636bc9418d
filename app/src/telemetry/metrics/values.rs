//! Whole numbers and how often each came: exact up to a number of different ones, and after that as good as exact.

use std::collections::BTreeMap;

/// Different numbers that are kept; later ones count as the nearest that is there.
pub(super) const DIFFERENT: usize = 1_500;

/// The numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Values(BTreeMap<u64, u64>);

impl Values {
    /// One more.
    pub(super) fn add(&mut self, value: u64) {
        self.add_times(value, 1);
    }

    /// All of these, too.
    pub(super) fn merge(&mut self, others: &Self) {
        for (value, times) in &others.0 {
            self.add_times(*value, *times);
        }
    }

    fn add_times(&mut self, value: u64, times: u64) {
        let value = if self.0.len() < DIFFERENT { value } else { self.nearest(value) };
        *self.0.entry(value).or_default() += times;
    }

    fn nearest(&self, value: u64) -> u64 {
        let below = self.0.range(..=value).next_back().map(|(below, _)| *below);
        let above = self.0.range(value..).next().map(|(above, _)| *above);
        match (below, above) {
            (Some(below), Some(above)) if value - below <= above - value => below,
            (_, Some(above)) => above,
            (below, None) => below.unwrap_or(value),
        }
    }

    /// Each with how often it came, the smallest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().map(|(value, times)| (*value, *times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_nothing_goes_uncounted() {
        let mut values = Values::default();
        for value in 0..10_000 {
            values.add(value * 10);
        }
        assert_eq!((values.iter().count(), values.iter().map(|(_, times)| times).sum::<u64>()), (DIFFERENT, 10_000));
    }

    #[test]
    fn what_has_no_room_counts_as_its_nearest_neighbour() {
        let mut values = Values::default();
        for value in 0..DIFFERENT as u64 {
            values.add(value * 10);
        }
        for value in [12, 18, 15, u64::MAX] {
            values.add(value);
        }
        let times = |of: u64| values.iter().find(|(value, _)| *value == of).map(|(_, times)| times);
        assert_eq!([times(10), times(20), times((DIFFERENT as u64 - 1) * 10)], [Some(3), Some(2), Some(2)]);
    }
}
