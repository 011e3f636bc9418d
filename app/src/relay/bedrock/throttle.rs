//! How a throttled call is tried again: twice at the most, after random waits, all within two seconds.

use std::time::Duration;

use tokio::time::Instant;

/// All waits together end within this time of the first refusal.
const WITHIN: Duration = Duration::from_secs(2);
/// The longest wait before each further try; what they leave of the time is for the calls themselves. Random waits up to
/// there spread out callers that were refused together.
const LONGEST_WAITS: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// What is left of the patience with a region that throttles; for one request.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    tries: usize,
    ends: Option<Instant>,
}

impl Throttle {
    /// Waits for the next try, and says whether there is one. `retry_after`: seconds that Bedrock asked for.
    pub(super) async fn again(&mut self, retry_after: Option<u32>) -> bool {
        let Some(wait) = self.wait(retry_after, Instant::now(), random_fraction()) else { return false };
        tokio::time::sleep(wait).await;
        true
    }

    /// How long to wait; `None`: not any more. `fraction` is random, from 0 to 1.
    fn wait(&mut self, retry_after: Option<u32>, now: Instant, fraction: f64) -> Option<Duration> {
        let ends = *self.ends.get_or_insert(now + WITHIN);
        let longest = *LONGEST_WAITS.get(self.tries)?;
        self.tries += 1;
        let wait = longest.mul_f64(fraction).max(Duration::from_secs(retry_after.unwrap_or(0).into()));
        (now + wait <= ends).then_some(wait)
    }
}

/// Without randomness, which no running system lacks, callers would merely come back together.
fn random_fraction() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many further tries there are while every call takes `call` and is refused, and how long all takes.
    async fn refused(call: Duration, retry_after: Option<u32>) -> (usize, Duration) {
        let (mut throttle, mut tries) = (Throttle::default(), 0);
        tokio::time::sleep(call).await;
        let first = Instant::now();
        while throttle.again(retry_after).await {
            tries += 1;
            tokio::time::sleep(call).await;
        }
        (tries, first.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_two_further_tries_within_two_seconds() {
        for _ in 0..200 {
            let (tries, took) = refused(Duration::ZERO, None).await;
            // Paused time moves by whole milliseconds.
            assert!(tries == 2 && took <= WITHIN + Duration::from_millis(2), "{tries} in {took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_bedrock_asks_for_is_waited_for_or_nothing() {
        assert_eq!(refused(Duration::ZERO, Some(3)).await, (0, Duration::ZERO));
        let (tries, took) = refused(Duration::ZERO, Some(1)).await;
        assert!((1..=2).contains(&tries) && took >= Duration::from_secs(1), "{tries} in {took:?}");
        assert_eq!(refused(Duration::ZERO, Some(u32::MAX)).await.0, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_take_long_use_the_time_up() {
        let (tries, _) = refused(WITHIN, None).await;
        assert_eq!(tries, 1);
    }

    #[test]
    fn the_wait_is_random_from_nothing_to_the_longest() {
        let now = Instant::now();
        for (fraction, expected) in [(0.0, [0, 0]), (0.5, [125, 500]), (1.0, [250, 1000])] {
            let mut throttle = Throttle::default();
            for milliseconds in expected {
                assert_eq!(throttle.wait(None, now, fraction), Some(Duration::from_millis(milliseconds)));
            }
            assert_eq!(throttle.wait(None, now, fraction), None);
        }
    }
}
