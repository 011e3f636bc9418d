//! Keeps Bedrock keys unreadable at rest: seals and opens them, each bound to the access key it belongs to.

mod kms;
mod local;
mod vaults;

use uuid::Uuid;

pub use kms::KmsVault;
pub use local::LocalVault;
pub use vaults::Vaults;

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
    /// The key service does not answer, or has no room.
    #[error("AWS KMS does not serve at the moment ({0})")]
    Away(String),
    /// The key service refuses.
    #[error(
        "AWS KMS refuses ({0}): look at KMS_KEY_ID, AWS_REGION, the state of the key, and whether the role may use it"
    )]
    Refused(String),
    /// The settings have no key for it.
    #[error("there is no key for it; set {0}")]
    Missing(&'static str),
    /// AWS KMS takes so many bytes.
    #[error("it is longer than the {0} bytes that AWS KMS takes")]
    TooLong(usize),
    /// The system has no randomness to give, or the cipher refused.
    #[error("sealing failed: {0}")]
    CannotSeal(String),
}
