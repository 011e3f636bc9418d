//! Shares what one task learnt with the others through the database, apart from any request: told in the background, and
//! learnt by looking every two seconds, the first time at the start.

mod capabilities;
mod limits;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use capabilities::CapabilitySharing;
pub use limits::LimitSharing;

use crate::store::{Database, Known, StoreError};

/// News that wait to be told; those that find no room are learnt by the others from the provider itself.
const QUEUE: usize = 1000;
/// How often the others are listened to.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Looks between two at everything: about half a minute.
const LOOKS_PER_RECONCILING: u32 = 15;
/// Looks between two clearings of old rows: about an hour.
const LOOKS_PER_CLEARING: u32 = 1800;
/// Rows become visible in another order than their stamps say; looking back this far misses none.
const OVERLAP: TimeDelta = TimeDelta::seconds(10);

/// What tasks tell each other about.
trait Topic: Send + Sync + 'static {
    /// One thing to tell.
    type News: Clone + PartialEq + Send + Sync + 'static;
    /// What it is called in the log.
    const NAME: &'static str;

    /// Has the others told.
    fn tell(&self, database: &Database, news: Self::News) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// What was told after a moment of the database's clock.
    fn look(
        &self,
        database: &Database,
        after: DateTime<Utc>,
    ) -> impl Future<Output = Result<Vec<Known<Self::News>>, StoreError>> + Send;
    /// Removes what is over.
    fn clear(database: &Database) -> impl Future<Output = Result<u64, StoreError>> + Send;
    /// Takes in what another task, or this one, has told.
    fn learn(&self, news: Self::News);
    /// Everything that is told at the moment: what is not in it any more, and is not brand new, was taken back.
    fn reconcile(&self, _all: &[Known<Self::News>]) {}
}

/// Tells the other tasks; cheap to clone.
#[derive(Clone, Debug)]
pub struct Sharing<N> {
    queue: mpsc::Sender<N>,
}

/// The tasks behind it.
#[derive(Debug)]
pub struct SharingTask {
    stop: CancellationToken,
    tasks: [JoinHandle<()>; 2],
}

impl<N: Send + 'static> Sharing<N> {
    /// Starts telling and listening.
    fn about<T: Topic<News = N>>(topic: T, database: Database) -> (Self, SharingTask) {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let stop = CancellationToken::new();
        let topic = Arc::new(topic);
        let tell = tokio::spawn(tell(Arc::clone(&topic), receiver, database.clone(), stop.clone()));
        let listen = tokio::spawn(listen(topic, database, stop.clone()));
        (Self { queue }, SharingTask { stop, tasks: [tell, listen] })
    }

    /// Has something told to the others; never waits.
    fn send(&self, news: N) {
        if self.queue.try_send(news).is_err() {
            tracing::debug!("no room to tell the other tasks");
        }
    }
}

impl SharingTask {
    /// Ends both tasks.
    pub async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            if task.await.is_err() {
                tracing::error!("a task that shares what was learnt failed");
            }
        }
    }
}

async fn tell<T: Topic>(
    topic: Arc<T>,
    mut queue: mpsc::Receiver<T::News>,
    database: Database,
    stop: CancellationToken,
) {
    while let Some(Some(news)) = stop.run_until_cancelled(queue.recv()).await {
        if let Err(error) = topic.tell(&database, news).await {
            tracing::warn!(%error, about = T::NAME, "the other tasks could not be told");
        }
    }
}

async fn listen<T: Topic>(topic: Arc<T>, database: Database, stop: CancellationToken) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = Seen { latest: None, recent: Vec::new() };
    let mut number = 0_u32;
    while stop.run_until_cancelled(looks.tick()).await.is_some() {
        match topic.look(&database, seen.look_after()).await {
            Ok(known) => seen.news(&known).for_each(|news| topic.learn(news)),
            Err(error) => tracing::debug!(%error, about = T::NAME, "other tasks cannot be heard for the moment"),
        }
        number = number.wrapping_add(1);
        if number.is_multiple_of(LOOKS_PER_RECONCILING)
            && let Ok(all) = topic.look(&database, DateTime::UNIX_EPOCH).await
        {
            topic.reconcile(&all);
        }
        if number.is_multiple_of(LOOKS_PER_CLEARING)
            && let Err(error) = T::clear(&database).await
        {
            tracing::debug!(%error, about = T::NAME, "old rows cannot be cleared for the moment");
        }
    }
}

/// What has been learnt, so that news are taken in once: a breaker that was closed since must not be opened again by
/// the same old limit.
struct Seen<N> {
    latest: Option<DateTime<Utc>>,
    recent: Vec<Known<N>>,
}

impl<N: Clone + PartialEq> Seen<N> {
    fn look_after(&self) -> DateTime<Utc> {
        self.latest.map_or(DateTime::UNIX_EPOCH, |latest| latest - OVERLAP)
    }

    fn news(&mut self, known: &[Known<N>]) -> impl Iterator<Item = N> + use<N> {
        let news: Vec<N> =
            known.iter().filter(|known| !self.recent.contains(known)).map(|known| known.what.clone()).collect();
        self.latest = known.iter().map(|known| known.told_at).max().max(self.latest);
        let still_looked_at = self.look_after();
        self.recent = known.iter().filter(|known| known.told_at > still_looked_at).cloned().collect();
        news.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_news_once_and_again_when_it_is_told_anew() {
        let at = |second| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(second);
        let known = |what: u8, second| Known { what, told_at: at(second) };
        let mut seen = Seen { latest: None, recent: Vec::new() };
        assert_eq!(seen.news(&[known(1, 100), known(2, 105)]).count(), 2);
        assert_eq!(seen.look_after(), at(95), "rows become visible late");
        assert_eq!(seen.news(&[known(1, 100), known(2, 105)]).count(), 0);
        assert_eq!(seen.news(&[known(1, 100), known(3, 101), known(2, 105)]).count(), 1);
        assert_eq!(seen.news(&[known(2, 130)]).count(), 1, "told anew");
        assert_eq!(seen.look_after(), at(120));
    }
}
