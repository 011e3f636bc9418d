//! The map of models, kept current in the background, so that no request waits for the database to know its model.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::domain::ModelMap;
use crate::store::Database;

/// How often the database is asked for the map.
pub const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How soon it is asked again after it did not answer.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// The map as it was last read; cheap to clone.
#[derive(Clone, Debug)]
pub struct Models {
    /// `None` before the first look.
    map: watch::Receiver<Option<Arc<ModelMap>>>,
}

/// The task behind it.
#[derive(Debug)]
pub struct ModelsTask {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Models {
    /// Starts to look. `every`: how often, while the database answers.
    pub fn start(database: Database, every: Duration) -> (Self, ModelsTask) {
        let (sender, map) = watch::channel(None);
        let stop = CancellationToken::new();
        let task = tokio::spawn(look(database, sender, every, stop.clone()));
        (Self { map }, ModelsTask { stop, task })
    }

    /// The map. It stays as it was while the database is away, and is empty if it has been away from the start.
    pub fn current(&self) -> Arc<ModelMap> {
        self.map.borrow().clone().unwrap_or_default()
    }

    /// Waits for the end of the first look, however it went: a few seconds at the most. The first requests after a start
    /// would otherwise be served by another model than those that follow.
    pub async fn first_look(&self) {
        // An error says that the task has ended; then there is nothing to wait for.
        let _ = self.map.clone().wait_for(Option::is_some).await;
    }
}

impl ModelsTask {
    /// Ends the task.
    pub async fn stop(self) {
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::error!("the task that reads the map of models failed");
        }
    }
}

async fn look(
    database: Database,
    sender: watch::Sender<Option<Arc<ModelMap>>>,
    every: Duration,
    stop: CancellationToken,
) {
    // What has been said of it; at every look it would be too much.
    let (mut told_rows, mut told_away) = (Vec::new(), false);
    loop {
        let Some(read) = stop.run_until_cancelled(database.models()).await else { return };
        let pause = match read {
            Ok(rows) => {
                let (map, wrong) = ModelMap::of(rows);
                if wrong != told_rows {
                    for what in &wrong {
                        tracing::error!(what, "a row of model_map cannot be used");
                    }
                    told_rows = wrong;
                }
                told_away = false;
                sender.send_replace(Some(Arc::new(map)));
                every
            }
            Err(error) => {
                if !std::mem::replace(&mut told_away, true) {
                    tracing::warn!(%error, "the map of models cannot be read; it stays as it was");
                }
                sender.send_if_modified(|map| map.is_none() && map.replace(Arc::default()).is_none());
                LOOK_AGAIN_AFTER.min(every)
            }
        };
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}
