//! Finds the holders of access keys: in memory in the common case, and there too while the database is away.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;

use crate::domain::{AccessKey, ClientPrincipal, KeyHash};
use crate::store::{Database, StoreError};

use super::{Holders, KeyHasher};

/// Looks up access keys.
#[derive(Clone, Debug)]
pub struct Directory {
    database: Database,
    hasher: KeyHasher,
    holders: Holders,
}

/// The database could not be asked and memory does not know the key.
#[derive(Debug, thiserror::Error)]
#[error("the access key could not be checked: {0}")]
pub struct LookUpError(#[from] StoreError);

impl Directory {
    /// A directory that trusts an answer of the database for `ttl`.
    pub fn new(database: Database, hasher: KeyHasher, ttl: Duration) -> Self {
        Self { database, hasher, holders: Holders::new(ttl) }
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
        let Some(known) = self.holders.recall(&hash) else { return Ok(self.ask(key, hash).await?) };
        let Some(claim) = known.claim else { return Ok(known.principal) };
        let asked = self.ask(key, hash).await;
        claim.used();
        match asked {
            Ok(principal) => Ok(principal),
            Err(error) => {
                tracing::warn!(%error, "an access key is served from memory: the database cannot be asked");
                Ok(known.principal)
            }
        }
    }

    /// Forgets the holders of keys that have changed, and that keys were unknown.
    pub fn forget(&self, changed: impl Fn(&ClientPrincipal) -> bool) {
        self.holders.forget(changed);
    }

    /// Has the database asked again about every key: changes may have been missed. Keys that are known work on while it is
    /// away.
    pub fn distrust(&self) {
        self.holders.distrust();
    }

    /// How many valid keys are remembered: for `/ready`, not for requests.
    pub fn remembered(&self) -> u64 {
        self.holders.count()
    }

    /// Whoever is not found under the secret of today may be under the one before.
    async fn ask(&self, key: &AccessKey, hash: KeyHash) -> Result<Option<Arc<ClientPrincipal>>, StoreError> {
        let question = self.holders.question();
        let mut principal = self.database.principal(hash).await?;
        if principal.is_none()
            && let Some(before) = self.hasher.hash_before(key.expose())
        {
            principal = self.database.principal(before).await?;
        }
        let principal = principal.map(Arc::new);
        self.holders.remember(hash, principal.clone(), &question);
        Ok(principal)
    }
}
