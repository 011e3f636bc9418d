//! Tasks tell each other of what models on Bedrock refuse.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Sharing, SharingTask, Topic};
use crate::domain::{Dialect, LearnedRefusal};
use crate::store::{Database, Known, StoreError};
use crate::upstream::bedrock::LearnedCapabilities;

/// What was learnt within this time may not have been told yet.
const UNTOLD: TimeDelta = TimeDelta::minutes(1);

/// Tells the other tasks of refusals.
pub type CapabilitySharing = Sharing<LearnedRefusal>;

impl CapabilitySharing {
    /// Starts telling and listening of one of Bedrock's interfaces: what it refuses the other may take.
    pub fn start(database: Database, learned: LearnedCapabilities, dialect: Dialect) -> (Self, SharingTask) {
        Self::about(Capabilities { learned, dialect }, database)
    }

    /// Has a refusal told to the others; never waits.
    pub fn tell(&self, learned: LearnedRefusal) {
        self.send(learned);
    }
}

struct Capabilities {
    learned: LearnedCapabilities,
    dialect: Dialect,
}

impl Topic for Capabilities {
    type News = LearnedRefusal;
    const NAME: &'static str = "refusals of models";

    async fn tell(&self, database: &Database, learned: LearnedRefusal) -> Result<(), StoreError> {
        database.share_refusal(self.dialect, &learned).await
    }

    async fn look(&self, database: &Database, after: DateTime<Utc>) -> Result<Vec<Known<LearnedRefusal>>, StoreError> {
        database.refusals_after(self.dialect, after).await
    }

    async fn clear(database: &Database) -> Result<u64, StoreError> {
        database.forget_old_refusals().await
    }

    fn learn(&self, learned: LearnedRefusal) {
        self.learned.learn(learned, Utc::now());
    }

    fn reconcile(&self, all: &[Known<LearnedRefusal>]) {
        let all: HashSet<_> = all.iter().map(|known| (&known.what.target, &known.what.refusal)).collect();
        self.learned.keep(Utc::now() - UNTOLD, |target, refusal| all.contains(&(target, refusal)));
    }
}
