//! Bedrock keys in the clear, for as short as is useful: opened by the vault, kept five minutes, wiped when dropped.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use uuid::Uuid;

use crate::domain::Secret;
use crate::domain::principal::SealedKey;
use crate::vault::{Vault, VaultError};

const MAX_KEYS: u64 = 10_000;
const TIME_TO_LIVE: Duration = Duration::from_mins(5);

/// Opens sealed keys and remembers them by their sealed form, so that a key which is registered anew is never mistaken
/// for the one before.
#[derive(Clone, Debug)]
pub struct Keyring {
    vault: Arc<dyn Vault>,
    opened: Cache<(Uuid, SealedKey), Secret>,
}

impl Keyring {
    /// A keyring over a vault.
    pub fn new(vault: Arc<dyn Vault>) -> Self {
        Self { vault, opened: Cache::builder().max_capacity(MAX_KEYS).time_to_live(TIME_TO_LIVE).build() }
    }

    /// The Bedrock key of an access key.
    ///
    /// # Errors
    /// When the vault cannot open it.
    pub async fn open(&self, access_key_id: Uuid, sealed: &SealedKey) -> Result<Secret, VaultError> {
        let entry = (access_key_id, sealed.clone());
        if let Some(secret) = self.opened.get(&entry) {
            return Ok(secret);
        }
        let secret = self.vault.open(access_key_id, sealed.bytes()).await?;
        self.opened.insert(entry, secret.clone());
        Ok(secret)
    }
}
