//! The holders of access keys, remembered: found in memory in the common case, and kept when the database is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::Utc;
use moka::sync::Cache;

use crate::domain::{AccessKey, ClientPrincipal, KeyHash};
use crate::store::{Database, StoreError};

use super::KeyHasher;

/// Keys remembered at the most, unknown ones included; at about 300 bytes each.
const MAX_ENTRIES: u64 = 50_000;
/// How long a key works on without the database having confirmed it.
const MAX_STALE: Duration = Duration::from_hours(24);

/// Looks up access keys.
#[derive(Clone, Debug)]
pub struct Directory {
    database: Database,
    hasher: KeyHasher,
    ttl: Duration,
    started: Instant,
    known: Cache<KeyHash, Arc<Entry>>,
    /// How many changes were heard of. An answer that a change has overtaken is not remembered.
    changes: Arc<AtomicU64>,
}

/// What the database said of a key, and when (milliseconds since the start) it was last asked.
#[derive(Debug)]
struct Entry {
    principal: Option<Arc<ClientPrincipal>>,
    asked_at: AtomicU64,
    /// Changes that had been heard of before.
    changes: u64,
}

/// In place of the time at which the database was asked: it has to be asked again.
const OUTDATED: u64 = 0;

/// The right to renew an answer. A request that is dropped before it has asked gives it back: else a client that
/// always leaves early could keep a revoked key alive.
struct Claim<'e> {
    entry: &'e Entry,
    before: Option<u64>,
}

impl Claim<'_> {
    fn used(mut self) {
        self.before = None;
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            self.entry.asked_at.store(before, Ordering::Relaxed);
        }
    }
}

/// The database could not be asked and memory does not know the key.
#[derive(Debug, thiserror::Error)]
#[error("the access key could not be checked: {0}")]
pub struct LookUpError(#[from] StoreError);

impl Directory {
    /// A directory that trusts an answer of the database for `ttl`.
    pub fn new(database: Database, hasher: KeyHasher, ttl: Duration) -> Self {
        let known = Cache::builder().max_capacity(MAX_ENTRIES).time_to_live(MAX_STALE).build();
        Self { database, hasher, ttl, started: Instant::now(), known, changes: Arc::default() }
    }

    /// The holder of a key, `None` when the key is not valid (unknown, revoked and expired are the same).
    ///
    /// # Errors
    /// When the database is away and the key has not been seen before.
    pub async fn holder(&self, key: &AccessKey) -> Result<Option<Arc<ClientPrincipal>>, LookUpError> {
        let holder = self.look_up(key).await?;
        // A grace period that is over is over, whatever is remembered, and whether or not the database is there.
        Ok(holder.filter(|holder| holder.works_at(Utc::now())))
    }

    async fn look_up(&self, key: &AccessKey) -> Result<Option<Arc<ClientPrincipal>>, LookUpError> {
        let hash = self.hasher.hash(key.expose());
        let Some(entry) = self.known.get(&hash).filter(|entry| self.believes(entry)) else {
            return Ok(self.ask(key, hash).await?);
        };
        let Some(claim) = self.claim_refresh(&entry) else { return Ok(entry.principal.clone()) };
        let asked = self.ask(key, hash).await;
        claim.used();
        match asked {
            Ok(principal) => Ok(principal),
            Err(error) => {
                tracing::warn!(%error, "an access key is served from memory: the database cannot be asked");
                Ok(entry.principal.clone())
            }
        }
    }

    /// Forgets the holders of keys that have changed, and that keys were unknown.
    pub fn forget(&self, changed: impl Fn(&ClientPrincipal) -> bool) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        for (hash, entry) in &self.known {
            if entry.principal.as_deref().is_some_and(&changed) {
                self.known.invalidate(&*hash);
            }
        }
    }

    /// Has the database asked again about every key: changes may have been missed. Keys that are known work on while it is
    /// away.
    pub fn distrust(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        for (_, entry) in &self.known {
            entry.asked_at.store(OUTDATED, Ordering::Relaxed);
        }
    }

    /// How many valid keys are remembered. Walks over all entries: for `/ready`, not for requests.
    pub fn remembered(&self) -> u64 {
        self.known.iter().filter(|(_, entry)| entry.principal.is_some()).count() as u64
    }

    /// A key that was unknown may have become valid with any change.
    fn believes(&self, entry: &Entry) -> bool {
        entry.principal.is_some() || entry.changes == self.changes.load(Ordering::SeqCst)
    }

    /// Claims the renewal of an answer that is older than the time to live. Others go on with the old answer meanwhile,
    /// so that one slow look-up never holds up more than one request.
    fn claim_refresh<'e>(&self, entry: &'e Entry) -> Option<Claim<'e>> {
        let (now, before) = (self.now(), entry.asked_at.load(Ordering::Relaxed));
        let ttl = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
        let claimed = (before == OUTDATED || now.saturating_sub(before) >= ttl)
            && entry.asked_at.compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        claimed.then_some(Claim { entry, before: Some(before) })
    }

    /// Whoever is not found under the secret of today may be under the one before.
    async fn ask(&self, key: &AccessKey, hash: KeyHash) -> Result<Option<Arc<ClientPrincipal>>, StoreError> {
        let (asked_at, changes) = (AtomicU64::new(self.now()), self.changes.load(Ordering::SeqCst));
        let mut principal = self.database.principal(hash).await?;
        if principal.is_none()
            && let Some(before) = self.hasher.hash_before(key.expose())
        {
            principal = self.database.principal(before).await?;
        }
        let principal = principal.map(Arc::new);
        self.known.insert(hash, Arc::new(Entry { principal: principal.clone(), asked_at, changes }));
        // A change goes up in number before it forgets, so one that comes after this look finds the entry.
        if self.changes.load(Ordering::SeqCst) != changes {
            self.known.invalidate(&hash);
        }
        Ok(principal)
    }

    fn now(&self) -> u64 {
        // Never that of what is outdated.
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }
}
