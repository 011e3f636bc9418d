//! Tasks tell each other of what models on Bedrock refuse.

use chrono::{DateTime, Utc};

use super::{Sharing, SharingTask, Topic};
use crate::domain::LearnedRefusal;
use crate::store::{Database, Known, StoreError};
use crate::upstream::bedrock::LearnedCapabilities;

/// Tells the other tasks of refusals.
pub type CapabilitySharing = Sharing<LearnedRefusal>;

impl CapabilitySharing {
    /// Starts telling and listening.
    pub fn start(database: Database, learned: LearnedCapabilities) -> (Self, SharingTask) {
        Self::about(Capabilities(learned), database)
    }

    /// Has a refusal told to the others; never waits.
    pub fn tell(&self, learned: LearnedRefusal) {
        self.send(learned);
    }
}

struct Capabilities(LearnedCapabilities);

impl Topic for Capabilities {
    type News = LearnedRefusal;
    const NAME: &'static str = "refusals of models";

    async fn tell(database: &Database, learned: LearnedRefusal) -> Result<(), StoreError> {
        database.share_refusal(&learned).await
    }

    async fn look(database: &Database, after: DateTime<Utc>) -> Result<Vec<Known<LearnedRefusal>>, StoreError> {
        database.refusals_after(after).await
    }

    async fn clear(database: &Database) -> Result<u64, StoreError> {
        database.forget_old_refusals().await
    }

    fn learn(&self, learned: LearnedRefusal) {
        self.0.learn(learned, Utc::now());
    }
}
