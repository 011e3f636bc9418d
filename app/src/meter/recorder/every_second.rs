//! Once a second: the disk is told to keep the journal, and how much usage waits is made visible.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Recorder;
use super::deposit::Oldest;
use crate::telemetry::counters;

const EVERY: Duration = Duration::from_secs(1);

/// Goes on until `done`, and then once more.
pub(super) async fn run(recorder: Recorder, oldest: Oldest, done: CancellationToken) {
    let journal = &recorder.journal;
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        let last = tokio::select! {
            _ = ticks.tick() => false,
            () = done.cancelled() => true,
        };
        if let Some(journal) = journal {
            let syncing = journal.clone();
            let synced = tokio::task::spawn_blocking(move || syncing.sync()).await.map_err(std::io::Error::other);
            let error = synced.flatten().err();
            if let Some(error) = error.as_ref().filter(|_| !failing) {
                tracing::error!(%error, "the disk does not keep the usage journal; a machine that fails now loses usage");
            }
            failing = error.is_some();
        }
        let bytes = journal.as_ref().map_or(0, |journal| journal.size().1);
        counters::usage_waiting(recorder.queued(), bytes, oldest.age());
        if last {
            return;
        }
    }
}
