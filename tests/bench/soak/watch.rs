//! Looks at the process every second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, MissedTickBehavior};

use crate::process;

const EVERY: Duration = Duration::from_secs(1);
/// Between two looks while something is awaited.
const SOON: Duration = Duration::from_millis(50);

/// What is looked at.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    /// The proxy.
    pub(super) process: u32,
    /// The port of its database.
    pub(super) database: u16,
    /// Counts the requests that have ended.
    pub(super) ended: Arc<AtomicU64>,
}

/// What was seen in a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) at: Instant,
    /// Bytes.
    pub(super) resident: u64,
    pub(super) threads: u64,
    /// Open files and sockets, but for those to the database.
    pub(super) descriptors: usize,
    /// Connections to the database.
    pub(super) database: usize,
    /// Requests that have ended so far.
    pub(super) ended: u64,
}

impl Watch {
    /// Looks.
    pub(super) fn look(&self) -> Result<Sample> {
        let (database, descriptors) = process::descriptors(self.process, self.database)?;
        Ok(Sample {
            at: Instant::now(),
            resident: process::resident(self.process)?,
            threads: process::threads(self.process)?,
            descriptors,
            database,
            ended: self.ended.load(Ordering::Relaxed),
        })
    }

    /// Looks every second until `end`.
    pub(super) async fn until(self, end: Instant) -> Result<Vec<Sample>> {
        let mut ticks = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut samples = Vec::new();
        while Instant::now() < end {
            ticks.tick().await;
            samples.push(self.look()?);
        }
        Ok(samples)
    }

    /// Looks until this is so, or for so long, and tells what was seen last.
    pub(super) async fn look_until(&self, patience: Duration, is_so: impl Fn(&Sample) -> bool) -> Result<Sample> {
        let started = Instant::now();
        loop {
            let now = self.look()?;
            if is_so(&now) || started.elapsed() > patience {
                return Ok(now);
            }
            tokio::time::sleep(SOON).await;
        }
    }
}
