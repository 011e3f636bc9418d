//! Changes that administrators make: taken in at once by the instance that makes them, and heard of by the others, so that
//! nothing that is remembered of what has changed is believed any longer.

use std::convert::Infallible;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::auth::Directory;
use crate::domain::Dialect;
use crate::meter::Prices;
use crate::models::Models;
use crate::route::circuits::Circuits;
use crate::store::{Database, Look, News, StoreError};
use crate::upstream::bedrock::LearnedCapabilities;

/// How soon it is tried again to listen.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What is remembered of what administrators change; cheap to clone.
#[derive(Clone, Debug)]
pub struct Changes {
    /// The holders of access keys.
    pub directory: Directory,
    /// The map of models.
    pub models: Models,
    /// The price book.
    pub prices: Prices,
    /// The breakers.
    pub circuits: Circuits,
    /// What models on Bedrock refuse...
    pub learned: LearnedCapabilities,
    /// ... by this interface.
    pub dialect: Dialect,
}

/// The task that hears of changes.
#[derive(Debug)]
pub struct ChangesTask {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Changes {
    /// Takes in a change that was made here. When this is over, it is in effect on this instance, whatever becomes of
    /// the news for the others.
    pub async fn apply(&self, news: &News) {
        if let Some(look) = self.take_in(news) {
            look.over().await;
        }
    }

    /// Starts to hear of the changes of all instances.
    pub fn follow(&self, database: Database) -> ChangesTask {
        let stop = CancellationToken::new();
        let (changes, stopped) = (self.clone(), stop.clone());
        let task = tokio::spawn(async move {
            // It only forgets and asks, so it may be let go of anywhere.
            stopped.run_until_cancelled(changes.hear_always(database)).await;
        });
        ChangesTask { stop, task }
    }

    /// Forgets what is over. What is read in the background takes a moment: the look that is returned.
    fn take_in(&self, news: &News) -> Option<Look> {
        match news {
            News::AccessKey(id) => self.directory.forget(|holder| holder.access_key_id == *id),
            News::User(id) => self.directory.forget(|holder| holder.user_id == *id),
            News::Models => return Some(self.models.look_now()),
            News::Prices => return Some(self.prices.look_now()),
            News::Circuit(id) => self.circuits.reset(id),
            News::Capability(dialect, target, refusal) => {
                if *dialect == self.dialect {
                    self.learned.forget(target, refusal);
                }
            }
        }
        None
    }

    async fn hear_always(self, database: Database) {
        let mut told = false;
        loop {
            let Err(error) = self.hear(&database, &mut told).await;
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(%error, "changes of other instances cannot be heard; they are noticed a little later");
            }
            tokio::time::sleep(LISTEN_AGAIN_AFTER).await;
        }
    }

    async fn hear(&self, database: &Database, told: &mut bool) -> Result<Infallible, StoreError> {
        let mut listener = database.listen().await?;
        if std::mem::take(told) {
            tracing::info!("changes of other instances are heard again");
        }
        // Nobody tells what has changed before.
        self.directory.distrust();
        drop((self.models.look_now(), self.prices.look_now()));
        loop {
            if let Some(news) = listener.next().await? {
                // Nothing that is looked up holds up the next news.
                drop(self.take_in(&news));
            }
        }
    }
}

impl ChangesTask {
    /// Ends it.
    pub async fn stop(self) {
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::error!("the task that hears of changes failed");
        }
    }
}
