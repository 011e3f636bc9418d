//! Shares the limits of plans between tasks through the database, apart from any request: told in the background, and
//! learnt by looking every two seconds.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::route::circuits::{CircuitKey, Circuits};
use crate::store::{Database, KnownLimit, PlanLimit};

/// Limits that wait to be told; one that finds no room is learnt by the others from the plan itself.
const QUEUE: usize = 1000;
/// How often the others are listened to.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Looks between two clearings of old limits: about an hour.
const LOOKS_PER_CLEARING: u32 = 1800;
/// Rows become visible in another order than their stamps say; looking back this far misses none.
const OVERLAP: TimeDelta = TimeDelta::seconds(10);

/// Tells the other tasks; cheap to clone.
#[derive(Clone, Debug)]
pub struct LimitSharing {
    queue: mpsc::Sender<PlanLimit>,
}

/// The tasks behind it.
#[derive(Debug)]
pub struct LimitSharingTask {
    stop: CancellationToken,
    tasks: [JoinHandle<()>; 2],
}

impl LimitSharing {
    /// Starts telling and listening.
    pub fn start(database: Database, circuits: Circuits) -> (Self, LimitSharingTask) {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let stop = CancellationToken::new();
        let tell = tokio::spawn(tell(receiver, database.clone(), stop.clone()));
        let listen = tokio::spawn(listen(database, circuits, stop.clone()));
        (Self { queue }, LimitSharingTask { stop, tasks: [tell, listen] })
    }

    /// Has a limit told to the others; never waits.
    pub fn tell(&self, key: CircuitKey, wait: Duration) {
        let Some(closed_until) = TimeDelta::from_std(wait).ok().and_then(|wait| Utc::now().checked_add_signed(wait))
        else {
            return;
        };
        let limit = PlanLimit { credential: key.credential, family: key.family, closed_until };
        if self.queue.try_send(limit).is_err() {
            tracing::debug!("no room to tell the other tasks of a limit");
        }
    }
}

impl LimitSharingTask {
    /// Ends both tasks.
    pub async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            if task.await.is_err() {
                tracing::error!("a task that shares limits of plans failed");
            }
        }
    }
}

async fn tell(mut queue: mpsc::Receiver<PlanLimit>, database: Database, stop: CancellationToken) {
    while let Some(Some(limit)) = stop.run_until_cancelled(queue.recv()).await {
        if let Err(error) = database.share_limit(limit).await {
            tracing::warn!(%error, "the other tasks could not be told of a limit");
        }
    }
}

async fn listen(database: Database, circuits: Circuits, stop: CancellationToken) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = Seen::default();
    let mut number = 0_u32;
    while stop.run_until_cancelled(looks.tick()).await.is_some() {
        match database.limits_after(seen.look_after()).await {
            Ok(limits) => seen.news(&limits).for_each(|limit| learn(&circuits, limit)),
            Err(error) => tracing::debug!(%error, "limits of other tasks cannot be read for the moment"),
        }
        number = number.wrapping_add(1);
        if number.is_multiple_of(LOOKS_PER_CLEARING)
            && let Err(error) = database.forget_old_limits().await
        {
            tracing::debug!(%error, "old limits cannot be cleared for the moment");
        }
    }
}

/// What has been learnt, so that a limit is applied once: a breaker that was closed since must not be opened again by
/// the same old news.
#[derive(Default)]
struct Seen {
    latest: Option<DateTime<Utc>>,
    recent: Vec<KnownLimit>,
}

impl Seen {
    fn look_after(&self) -> DateTime<Utc> {
        self.latest.map_or(DateTime::UNIX_EPOCH, |latest| latest - OVERLAP)
    }

    fn news(&mut self, limits: &[KnownLimit]) -> impl Iterator<Item = PlanLimit> {
        let news: Vec<PlanLimit> =
            limits.iter().filter(|known| !self.recent.contains(known)).map(|known| known.limit).collect();
        self.latest = limits.iter().map(|known| known.updated_at).max().max(self.latest);
        let still_looked_at = self.look_after();
        self.recent = limits.iter().filter(|known| known.updated_at > still_looked_at).copied().collect();
        news.into_iter()
    }
}

fn learn(circuits: &Circuits, limit: PlanLimit) {
    let Ok(wait) = limit.closed_until.signed_duration_since(Utc::now()).to_std() else { return };
    let now = Instant::now();
    circuits.close_until(CircuitKey { credential: limit.credential, family: limit.family }, now + wait, now);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Family, KeyHash};

    #[test]
    fn a_limit_is_news_once_and_again_when_it_is_told_anew() {
        let at = |second| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(second);
        let known = |credential, second| KnownLimit {
            limit: PlanLimit { credential: KeyHash([credential; 32]), family: Family::Opus, closed_until: at(9999) },
            updated_at: at(second),
        };
        let mut seen = Seen::default();
        assert_eq!(seen.news(&[known(1, 100), known(2, 105)]).count(), 2);
        assert_eq!(seen.look_after(), at(95), "rows become visible late");
        assert_eq!(seen.news(&[known(1, 100), known(2, 105)]).count(), 0);
        assert_eq!(seen.news(&[known(1, 100), known(3, 101), known(2, 105)]).count(), 1);
        assert_eq!(seen.news(&[known(2, 130)]).count(), 1, "told anew");
        assert_eq!(seen.look_after(), at(120));
    }
}
