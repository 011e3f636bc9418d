//! How often an access key may ask: a bucket of tokens for each, one token a message.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use moka::sync::Cache;
use uuid::Uuid;

use crate::domain::{ErrorType, Failure};

/// In which time a bucket fills.
const MINUTE: Duration = Duration::from_mins(1);
/// Keys whose buckets are remembered. Beyond it the ones that were used least are forgotten, which means full.
const KEYS: u64 = 100_000;

/// The buckets of all keys, or none when there is no limit.
#[derive(Debug)]
pub struct RateLimit(Option<Buckets>);

#[derive(Debug)]
struct Buckets {
    per_minute: NonZeroU32,
    of_key: Cache<Uuid, Arc<Mutex<Bucket>>>,
}

impl RateLimit {
    /// This many requests a minute for each key; `None`: any number.
    pub fn new(per_minute: Option<NonZeroU32>) -> Self {
        Self(per_minute.map(|per_minute| Buckets {
            per_minute,
            // A bucket that nobody has touched for a minute is full again, so it need not be kept.
            of_key: Cache::builder().max_capacity(KEYS).time_to_idle(MINUTE).build(),
        }))
    }

    /// Takes a token of this key.
    ///
    /// # Errors
    /// What the client is told when there is none, with the whole seconds until there is.
    pub fn take(&self, access_key_id: Uuid) -> Result<(), Failure> {
        let Some(buckets) = &self.0 else { return Ok(()) };
        let now = Instant::now();
        let bucket = buckets.of_key.get_with(access_key_id, || Arc::new(Mutex::new(Bucket::full(now))));
        // A poisoned bucket is as good as another: it is a single value.
        let taken = bucket.lock().unwrap_or_else(PoisonError::into_inner).take(buckets.per_minute, now);
        taken.map_err(|wait| {
            let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
            let message = format!(
                "Your access key may ask for {} messages a minute, and has. Try again in {seconds} s.",
                buckets.per_minute
            );
            Failure::new(429, ErrorType::RateLimit, message).after_seconds(seconds)
        })
    }
}

/// A bucket of tokens, told by the time at which it is full: each token taken puts that off by its share of a minute.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    full_at: Instant,
}

impl Bucket {
    fn full(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes a token of the `size` that fill up in a minute, or says how long it takes until there is one.
    fn take(&mut self, size: NonZeroU32, now: Instant) -> Result<(), Duration> {
        let share = MINUTE / size.get();
        let full_at = self.full_at.max(now) + share;
        // When the bucket would be full only after a minute and more, it has less than no token.
        let missing = full_at.saturating_duration_since(now).saturating_sub(share * size.get());
        if missing.is_zero() {
            self.full_at = full_at;
            Ok(())
        } else {
            Err(missing)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    #[test]
    fn a_full_bucket_gives_all_its_tokens_at_once_and_then_one_a_share() {
        let start = Instant::now();
        let mut bucket = Bucket::full(start);
        for _ in 0..4 {
            assert_eq!(bucket.take(size(4), start), Ok(()));
        }
        assert_eq!(bucket.take(size(4), start), Err(Duration::from_secs(15)));
        assert_eq!(bucket.take(size(4), start + Duration::from_secs(14)), Err(Duration::from_secs(1)));
        assert_eq!(bucket.take(size(4), start + Duration::from_secs(15)), Ok(()));
        assert_eq!(bucket.take(size(4), start + Duration::from_secs(15)), Err(Duration::from_secs(15)));
    }

    #[test]
    fn a_refusal_names_whole_seconds_that_are_enough_and_keys_do_not_share() {
        let limit = RateLimit::new(Some(size(1)));
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(limit.take(one), Ok(()));
        let refused = limit.take(one).unwrap_err();
        assert_eq!((refused.status, refused.error_type), (429, ErrorType::RateLimit));
        assert!((60..=61).contains(&refused.retry_after.unwrap()), "{:?}", refused.retry_after);
        assert_eq!(limit.take(other), Ok(()));
        assert!((0..1000).all(|_| RateLimit::new(None).take(one).is_ok()));
    }

    proptest! {
           /// Against a model that counts tokens: never more than fit, never a wait that is not enough, never one in vain.
           #[test]
           fn a_bucket_is_a_bucket(number in 1_u32..500, pauses in proptest::collection::vec(0_u64..5_000, 1..300)) {
               let share = MINUTE / number;
               let mut now = Instant::now();
               let mut bucket = Bucket::full(now);
               // The model's tokens, in shares of a minute as nanoseconds.
               let whole = share.as_nanos() * u128::from(number);
               let mut tokens = whole;
               for pause in pauses {
                   let pause = Duration::from_millis(pause);
                   now += pause;
                   tokens = (tokens + pause.as_nanos()).min(whole);
                   match bucket.take(size(number), now) {
                       Ok(()) => {
                           prop_assert!(tokens >= share.as_nanos());
                           tokens -= share.as_nanos();
                       }
                       Err(wait) => {
                           prop_assert_eq!(wait.as_nanos(), share.as_nanos() - tokens);
                           let almost = now + wait.saturating_sub(Duration::from_nanos(1));
                           let taken_at = |now| { bucket }.take(size(number), now);
    prop_assert!(taken_at(almost).is_err());
                           prop_assert!(taken_at(now + wait).is_ok());
                       }
                   }
               }
           }
       }
}
