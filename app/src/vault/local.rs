//! The vault without AWS: AES-256-GCM under a key file, with the access key's id as associated data.
//!
//! Form of a sealed secret: one byte of version (1), 12 bytes of nonce, ciphertext, 16 bytes of tag.

use std::path::Path;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Vault, VaultError};
use crate::domain::Secret;

/// What begins everything that this vault has sealed.
pub(super) const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
const KEY_BYTES: usize = 32;

/// A vault whose key is in a file on this machine.
pub struct LocalVault {
    cipher: Aes256Gcm,
}

impl LocalVault {
    /// Reads the key file.
    ///
    /// # Errors
    /// When the file cannot be read or does not hold 32 bytes in base64.
    pub fn from_key_file(path: &Path) -> Result<Self, VaultError> {
        let problem = |what: String| VaultError::KeyFile { path: path.display().to_string(), what };
        let remedy = "make one with: openssl rand -base64 32 > FILE && chmod 600 FILE";
        warn_if_others_may_read(path);
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|e| problem(format!("cannot be read ({e}); {remedy}")))?;
        let key = STANDARD
            .decode(text.trim())
            .map(Zeroizing::new)
            .map_err(|_| problem(format!("is not base64; {remedy}")))?;
        let key: &[u8; KEY_BYTES] = key
            .as_slice()
            .try_into()
            .map_err(|_| problem(format!("holds {} bytes, not {KEY_BYTES}; {remedy}", key.len())))?;
        Ok(Self::new(key))
    }

    fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self { cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key)) }
    }
}

impl std::fmt::Debug for LocalVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LocalVault([redacted])")
    }
}

fn warn_if_others_may_read(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    if std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0) {
        tracing::warn!(path = %path.display(), "others may read the vault's key file; run: chmod 600 on it");
    }
}

/// The context that KMS binds as `access_key_id`, in the same words.
fn context(access_key_id: Uuid) -> Vec<u8> {
    format!("access_key_id={access_key_id}").into_bytes()
}

#[async_trait::async_trait]
impl Vault for LocalVault {
    async fn seal(&self, access_key_id: Uuid, secret: &Secret) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0_u8; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|error| VaultError::CannotSeal(error.to_string()))?;
        let payload = Payload { msg: secret.expose().as_bytes(), aad: &context(access_key_id) };
        let ciphertext = self
            .cipher
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| VaultError::CannotSeal("the cipher refused the text".to_owned()))?;
        Ok([&[VERSION][..], &nonce, &ciphertext].concat())
    }

    async fn open(&self, access_key_id: Uuid, sealed: &[u8]) -> Result<Secret, VaultError> {
        let (version, rest) = sealed.split_first().ok_or(VaultError::CannotOpen)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(VaultError::CannotOpen)?;
        if *version != VERSION {
            return Err(VaultError::CannotOpen);
        }
        let payload = Payload { msg: ciphertext, aad: &context(access_key_id) };
        let text = self.cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| VaultError::CannotOpen)?;
        String::from_utf8(text).map(Secret::new).map_err(|_| VaultError::CannotOpen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> LocalVault {
        LocalVault::new(&[7; KEY_BYTES])
    }

    #[tokio::test]
    async fn what_was_sealed_opens_for_the_same_key_only() {
        let (owner, other) = (Uuid::new_v4(), Uuid::new_v4());
        let sealed = vault().seal(owner, &Secret::new("bedrock-key")).await.unwrap();
        assert_eq!(vault().open(owner, &sealed).await.unwrap().expose(), "bedrock-key");
        assert!(matches!(vault().open(other, &sealed).await, Err(VaultError::CannotOpen)));
        assert!(LocalVault::new(&[8; KEY_BYTES]).open(owner, &sealed).await.is_err());
    }

    #[tokio::test]
    async fn every_damaged_byte_is_noticed() {
        let owner = Uuid::new_v4();
        let sealed = vault().seal(owner, &Secret::new("bedrock-key")).await.unwrap();
        for index in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[index] ^= 1;
            assert!(vault().open(owner, &damaged).await.is_err(), "byte {index}");
            assert!(vault().open(owner, &sealed[..index]).await.is_err(), "first {index} bytes");
        }
    }

    #[tokio::test]
    async fn two_sealings_of_one_secret_differ() {
        let owner = Uuid::new_v4();
        let secret = Secret::new("bedrock-key");
        assert_ne!(vault().seal(owner, &secret).await.unwrap(), vault().seal(owner, &secret).await.unwrap());
    }

    #[test]
    fn a_wrong_key_file_is_told_with_its_remedy() {
        let missing = LocalVault::from_key_file(Path::new("does-not-exist")).unwrap_err().to_string();
        assert!(missing.contains("does-not-exist") && missing.contains("openssl rand"), "{missing}");
    }
}
