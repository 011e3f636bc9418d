//! Keeps Bedrock keys unreadable at rest: seals and opens them, each bound to the access key it belongs to.

mod local;

use uuid::Uuid;

pub use local::LocalVault;

use crate::domain::Secret;

/// Seals and opens secrets. What was sealed for one access key cannot be opened for another.
#[async_trait::async_trait]
pub trait Vault: Send + Sync + std::fmt::Debug {
    /// Encrypts a secret for an access key.
    async fn seal(&self, access_key_id: Uuid, secret: &Secret) -> Result<Vec<u8>, VaultError>;

    /// Decrypts what `seal` made for the same access key.
    async fn open(&self, access_key_id: Uuid, sealed: &[u8]) -> Result<Secret, VaultError>;
}

/// Why a vault could not do its work. No variant carries a secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file cannot be used.
    #[error("the vault's key file {path}: {what}")]
    KeyFile {
        /// The file.
        path: String,
        /// What is wrong and what to do.
        what: String,
    },
    /// The ciphertext is damaged, was made under another key, or belongs to another access key.
    #[error(
        "the stored key cannot be opened: it was sealed under another vault key, for another access key, or is damaged; register it again"
    )]
    CannotOpen,
    /// The system has no randomness to give, or the cipher refused.
    #[error("sealing failed: {0}")]
    CannotSeal(String),
}
