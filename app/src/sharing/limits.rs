//! Tasks tell each other of the limits of plans.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Sharing, SharingTask, Topic};
use crate::route::circuits::{CircuitKey, Circuits};
use crate::store::{Database, Known, PlanLimit, StoreError};

/// What there is to tell of a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LimitNews {
    /// The plan has named it.
    Named(PlanLimit),
    /// The plan serves before the reset that it has named.
    Lifted(CircuitKey),
}

/// Tells the other tasks until when a plan is closed.
pub type LimitSharing = Sharing<LimitNews>;

impl LimitSharing {
    /// Starts telling and listening.
    pub fn start(database: Database, circuits: Circuits) -> (Self, SharingTask) {
        Self::about(Limits { circuits, shared: Mutex::default() }, database)
    }

    /// Has a limit told to the others; never waits.
    pub fn tell(&self, key: CircuitKey, wait: Duration) {
        let Some(closed_until) = TimeDelta::from_std(wait).ok().and_then(|wait| Utc::now().checked_add_signed(wait))
        else {
            return;
        };
        self.send(LimitNews::Named(PlanLimit { credential: key.credential, family: key.family, closed_until }));
    }

    /// Has the others told that there is no limit any more, and those who start later not told of it; never waits.
    pub fn lifted(&self, key: CircuitKey) {
        self.send(LimitNews::Lifted(key));
    }
}

struct Limits {
    circuits: Circuits,
    /// Limits that the database is known to have, or to have had.
    shared: Mutex<HashMap<CircuitKey, DateTime<Utc>>>,
}

impl Topic for Limits {
    type News = LimitNews;
    const NAME: &'static str = "limits of plans";

    async fn tell(&self, database: &Database, news: LimitNews) -> Result<(), StoreError> {
        match news {
            LimitNews::Named(limit) => database.share_limit(limit).await,
            LimitNews::Lifted(key) => database.lift_limit(key.credential, key.family, &key.id()).await,
        }
    }

    async fn look(&self, database: &Database, after: DateTime<Utc>) -> Result<Vec<Known<LimitNews>>, StoreError> {
        let known = database.limits_after(after).await?.into_iter();
        Ok(known.map(|known| Known { what: LimitNews::Named(known.what), told_at: known.told_at }).collect())
    }

    async fn clear(database: &Database) -> Result<u64, StoreError> {
        database.forget_old_limits().await
    }

    fn learn(&self, news: LimitNews) {
        let LimitNews::Named(limit) = news else { return };
        let Ok(wait) = limit.closed_until.signed_duration_since(Utc::now()).to_std() else { return };
        let (key, now) = (key_of(&limit), Instant::now());
        self.circuits.told_closed_until(key, now + wait, now);
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).insert(key, limit.closed_until);
    }

    /// Limits that were removed before their time are no more; usually that was heard of already.
    fn reconcile(&self, all: &[Known<LimitNews>]) {
        let all = all.iter().filter_map(|known| match known.what {
            LimitNews::Named(limit) => Some((key_of(&limit), limit.closed_until)),
            LimitNews::Lifted(_) => None,
        });
        let all: HashMap<_, _> = all.collect();
        let before = std::mem::replace(&mut *self.shared.lock().unwrap_or_else(PoisonError::into_inner), all.clone());
        let now = Utc::now();
        for (key, _) in before.into_iter().filter(|(key, until)| *until > now && !all.contains_key(key)) {
            self.circuits.reset(&key.id());
        }
    }
}

fn key_of(limit: &PlanLimit) -> CircuitKey {
    CircuitKey { credential: limit.credential, family: limit.family }
}
