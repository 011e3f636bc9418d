//! A setting that may change while the service runs: read by requests, doubted by those whom it fails, and replaced by whoever
//! follows the place that it comes from.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};

/// However much it is doubted, its source is asked no sooner than this after the last time.
const AT_MOST_EVERY: Duration = Duration::from_secs(2);
/// How long somebody who doubts it waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// The setting; clones are the same one.
#[derive(Debug)]
pub struct Live<T>(Arc<Shared<T>>);

#[derive(Debug)]
struct Shared<T> {
    value: watch::Sender<Arc<T>>,
    /// When its source was last looked at; `None`: nobody follows it.
    looks: watch::Sender<Option<Instant>>,
    doubts: Notify,
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Live<T> {
    /// A setting that stays what it is until somebody follows it.
    pub fn new(value: T) -> Self {
        let (value, looks) = (watch::Sender::new(Arc::new(value)), watch::Sender::new(None));
        Self(Arc::new(Shared { value, looks, doubts: Notify::new() }))
    }

    /// What is known now.
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.0.value.borrow())
    }

    /// It did not work. Has its source looked at soon, without waiting.
    pub fn doubt(&self) {
        self.0.doubts.notify_one();
    }

    /// The same, and waits for that look, a few seconds at the most; `Some` if it is another one then.
    pub async fn doubted(&self) -> Option<Arc<T>> {
        let mut looks = self.0.looks.subscribe();
        let followed = looks.borrow_and_update().is_some();
        let before = self.current();
        if followed {
            self.doubt();
            // Whether the time is over or the look is: what counts is what is known then.
            let _ = timeout(PATIENCE, looks.changed()).await;
        }
        Some(self.current()).filter(|now| !Arc::ptr_eq(now, &before))
    }

    /// Waits until its source has to be looked at: so often, and when it is doubted.
    pub async fn due(&self, every: Duration) {
        let last = self.0.looks.borrow().unwrap_or_else(Instant::now);
        let doubted = async {
            self.0.doubts.notified().await;
            sleep_until(last + AT_MOST_EVERY).await;
        };
        tokio::select! {
            () = sleep_until(last + every) => {}
            () = doubted => {}
        }
    }

    /// The source has been looked at, now; what was found there is `value`, or what is known stays.
    pub fn looked(&self, value: Option<T>) {
        if let Some(value) = value {
            self.0.value.send_replace(Arc::new(value));
        }
        self.0.looks.send_replace(Some(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[tokio::test(start_paused = true)]
    async fn what_nobody_follows_is_not_waited_for() {
        let (live, start) = (Live::new(1), Instant::now());
        assert_eq!((live.doubted().await, start.elapsed()), (None, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn a_doubt_brings_a_look_and_many_doubts_bring_few() {
        let live = Live::new(0);
        live.looked(None);
        let follower = tokio::spawn({
            let live = live.clone();
            async move {
                for number in 1.. {
                    live.due(DAY).await;
                    live.looked(Some(number));
                }
            }
        });
        let start = Instant::now();
        let (one, other) = tokio::join!(live.doubted(), live.doubted());
        // A timer's unit is a millisecond, so that it may go that much late.
        let seconds = || start.elapsed().as_secs();
        assert_eq!((one.as_deref(), other.as_deref(), seconds()), (Some(&1), Some(&1), AT_MOST_EVERY.as_secs()));
        assert_eq!((live.doubted().await.as_deref(), seconds()), (Some(&2), 2 * AT_MOST_EVERY.as_secs()));
        tokio::time::sleep(DAY + AT_MOST_EVERY).await;
        assert_eq!(*live.current(), 3);
        follower.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_source_that_does_not_answer() {
        let (live, start) = (Live::new(1), Instant::now());
        live.looked(None);
        assert_eq!((live.doubted().await, start.elapsed().as_secs()), (None, PATIENCE.as_secs()));
    }
}
