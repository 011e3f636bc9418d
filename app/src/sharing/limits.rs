//! Tasks tell each other of the limits of plans.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Sharing, SharingTask, Topic};
use crate::route::circuits::{CircuitKey, Circuits};
use crate::store::{Database, Known, PlanLimit, StoreError};

/// Tells the other tasks until when a plan is closed.
pub type LimitSharing = Sharing<PlanLimit>;

impl LimitSharing {
    /// Starts telling and listening.
    pub fn start(database: Database, circuits: Circuits) -> (Self, SharingTask) {
        Self::about(Limits(circuits), database)
    }

    /// Has a limit told to the others; never waits.
    pub fn tell(&self, key: CircuitKey, wait: Duration) {
        let Some(closed_until) = TimeDelta::from_std(wait).ok().and_then(|wait| Utc::now().checked_add_signed(wait))
        else {
            return;
        };
        self.send(PlanLimit { credential: key.credential, family: key.family, closed_until });
    }
}

struct Limits(Circuits);

impl Topic for Limits {
    type News = PlanLimit;
    const NAME: &'static str = "limits of plans";

    async fn tell(&self, database: &Database, limit: PlanLimit) -> Result<(), StoreError> {
        database.share_limit(limit).await
    }

    async fn look(&self, database: &Database, after: DateTime<Utc>) -> Result<Vec<Known<PlanLimit>>, StoreError> {
        database.limits_after(after).await
    }

    async fn clear(database: &Database) -> Result<u64, StoreError> {
        database.forget_old_limits().await
    }

    fn learn(&self, limit: PlanLimit) {
        let Ok(wait) = limit.closed_until.signed_duration_since(Utc::now()).to_std() else { return };
        let now = Instant::now();
        self.0.close_until(CircuitKey { credential: limit.credential, family: limit.family }, now + wait, now);
    }
}
