//! Batches that wait for CloudWatch: so many at the most, and the newest matter most.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::batches::Batch;

/// Batches that wait at the most; a minute is one, rarely two.
pub(super) const CAPACITY: usize = 30;

/// The queue between the collector and the sender.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    batches: VecDeque<Batch>,
    lost: u64,
    closed: bool,
}

impl Outbox {
    /// Adds the newest batch; the oldest makes room for it.
    pub(super) fn push(&self, batch: Batch) {
        let mut waiting = self.lock();
        if waiting.batches.len() == CAPACITY {
            waiting.batches.pop_front();
            waiting.lost += 1;
        }
        waiting.batches.push_back(batch);
        drop(waiting);
        self.changed.notify_one();
    }

    /// Puts the oldest batch back, which was not taken.
    pub(super) fn put_back(&self, batch: Batch) {
        let mut waiting = self.lock();
        if waiting.batches.len() == CAPACITY {
            waiting.lost += 1;
        } else {
            waiting.batches.push_front(batch);
        }
    }

    /// There will be no more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// The oldest batch, waited for; `None` when there will be no more. One waits at a time.
    pub(super) async fn next(&self) -> Option<Batch> {
        loop {
            {
                let mut waiting = self.lock();
                if let Some(batch) = waiting.batches.pop_front() {
                    return Some(batch);
                }
                if waiting.closed {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    /// How many batches wait.
    pub(super) fn len(&self) -> usize {
        self.lock().batches.len()
    }

    /// How many batches have been lost since the last time.
    pub(super) fn take_lost(&self) -> u64 {
        std::mem::take(&mut self.lock().lost)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Valid after every step, so a panic elsewhere leaves nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::types::MetricDatum;

    use super::*;

    fn batch(number: usize) -> Batch {
        vec![MetricDatum::builder().metric_name(number.to_string()).build()]
    }

    #[tokio::test]
    async fn the_oldest_go_first_when_there_is_no_room() {
        let outbox = Outbox::default();
        (0..CAPACITY + 2).for_each(|number| outbox.push(batch(number)));
        assert_eq!((outbox.take_lost(), outbox.take_lost()), (2, 0));
        assert_eq!(outbox.next().await, Some(batch(2)));
        outbox.put_back(batch(2));
        assert_eq!((outbox.next().await, outbox.len()), (Some(batch(2)), CAPACITY - 1));
    }

    #[tokio::test]
    async fn what_waits_is_had_after_the_end() {
        let outbox = Outbox::default();
        outbox.push(batch(0));
        outbox.close();
        assert_eq!((outbox.next().await, outbox.next().await), (Some(batch(0)), None));
    }
}
