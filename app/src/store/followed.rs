//! Keeps what a table says in memory, read again and again in the background, so that no request waits for the database.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::StoreError;

/// How soon the database is asked again after it did not answer.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// How many may ask for a look before the next one begins; for more than that it comes soon enough.
const ASKING: usize = 64;
/// How long somebody waits for a look.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was last read; cheap to clone.
#[derive(Debug)]
pub struct Followed<T> {
    seen: watch::Receiver<Seen<T>>,
    look_now: mpsc::Sender<oneshot::Sender<()>>,
}

/// A look that was asked for.
#[derive(Debug)]
#[must_use]
pub struct Look(oneshot::Receiver<()>);

impl Look {
    /// Waits until it is over, however it went: a few seconds at the most.
    pub async fn over(self) {
        // An error says that it is over as well, or will not come any more.
        let _ = tokio::time::timeout(PATIENCE, self.0).await;
    }
}

#[derive(Debug)]
struct Seen<T> {
    value: Arc<T>,
    /// Whether the first look is over, however it went.
    looked: bool,
}

/// The task behind it.
#[derive(Debug)]
pub struct FollowTask {
    what: &'static str,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl<T> Clone for Followed<T> {
    fn clone(&self) -> Self {
        Self { seen: self.seen.clone(), look_now: self.look_now.clone() }
    }
}

impl<T: Send + Sync + 'static> Followed<T> {
    /// Starts to `read` the rows of `what`, `every` so often while the database answers, and to `make` of them what they
    /// say; where that is nothing, what they said before stays. `first` is what is said until then.
    pub fn start<Rows: Send, Read>(
        what: &'static str,
        first: T,
        every: Duration,
        mut read: impl FnMut() -> Read + Send + 'static,
        mut make: impl FnMut(Rows) -> Option<T> + Send + 'static,
    ) -> (Self, FollowTask)
    where
        Read: Future<Output = Result<Rows, StoreError>> + Send,
    {
        let (look_now, mut asked) = mpsc::channel(ASKING);
        let (sender, seen) = watch::channel(Seen { value: Arc::new(first), looked: false });
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            // What has been said of it; at every look it would be too much.
            let mut told_away = false;
            // Who waits for the end of the look that begins next.
            let mut waiting = Vec::new();
            loop {
                while let Ok(waiter) = asked.try_recv() {
                    waiting.push(waiter);
                }
                let Some(read) = stopped.run_until_cancelled(read()).await else { return };
                let (value, pause) = match read {
                    Ok(rows) => {
                        told_away = false;
                        (make(rows), every)
                    }
                    Err(error) => {
                        if !std::mem::replace(&mut told_away, true) {
                            tracing::warn!(%error, what, "cannot be read from the database; it stays as it was");
                        }
                        (None, LOOK_AGAIN_AFTER.min(every))
                    }
                };
                sender.send_modify(|seen| {
                    seen.looked = true;
                    if let Some(value) = value {
                        seen.value = Arc::new(value);
                    }
                });
                waiting.clear();
                tokio::select! {
                    () = stopped.cancelled() => return,
                    () = tokio::time::sleep(pause) => {}
                    Some(waiter) = asked.recv() => waiting.push(waiter),
                }
            }
        });
        (Self { seen, look_now }, FollowTask { what, stop, task })
    }

    /// What was last read. It stays as it was while the database is away.
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.seen.borrow().value)
    }

    /// Has the database read now, because something has changed.
    pub fn look_now(&self) -> Look {
        let (waiter, over) = oneshot::channel();
        // Without room for it a look is near anyway.
        let _ = self.look_now.try_send(waiter);
        Look(over)
    }

    /// Waits for the end of the first look, however it went: a few seconds at the most.
    pub async fn first_look(&self) {
        // An error says that the task has ended; then there is nothing to wait for.
        let _ = self.seen.clone().wait_for(|seen| seen.looked).await;
    }
}

impl FollowTask {
    /// Ends the task.
    pub async fn stop(self) {
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::error!(what = self.what, "the task that reads it failed");
        }
    }
}
