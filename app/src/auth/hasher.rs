//! Hashes keys under the server's secret, so that a stolen table of hashes is of no use without it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::{KeyHash, Secret};

/// HMAC-SHA256 under `KEY_HASHER_SECRET`.
#[derive(Clone)]
pub struct KeyHasher {
    keyed: Hmac<Sha256>,
    /// Under the secret before.
    previous: Option<Hmac<Sha256>>,
}

impl KeyHasher {
    /// Prepares the hash; the secret may have any length.
    pub fn new(secret: &Secret) -> Self {
        Self { keyed: keyed(secret), previous: None }
    }

    /// The same, which knows the secret before as well.
    #[must_use]
    pub fn with_previous(self, secret: Option<&Secret>) -> Self {
        Self { previous: secret.map(keyed), ..self }
    }

    /// The hash of a key.
    pub fn hash(&self, key: &str) -> KeyHash {
        self.hash_bytes(key.as_bytes())
    }

    /// The hash of a credential of any form.
    pub fn hash_bytes(&self, credential: &[u8]) -> KeyHash {
        finished(&self.keyed, credential)
    }

    /// What the hash of a key was under the secret before, if there was another one.
    pub fn hash_before(&self, key: &str) -> Option<KeyHash> {
        self.previous.as_ref().map(|keyed| finished(keyed, key.as_bytes()))
    }
}

fn keyed(secret: &Secret) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    Hmac::new_from_slice(secret.expose().as_bytes()).expect("any length")
}

fn finished(keyed: &Hmac<Sha256>, credential: &[u8]) -> KeyHash {
    let mut mac = keyed.clone();
    mac.update(credential);
    KeyHash(mac.finalize().into_bytes().into())
}

impl std::fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHasher([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_rfc_4231() {
        // RFC 4231, test case 2.
        let hash = KeyHasher::new(&Secret::new("Jefe")).hash("what do ya want for nothing?");
        assert_eq!(hash.to_hex(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let rotated = KeyHasher::new(&Secret::new("new")).with_previous(Some(&Secret::new("Jefe")));
        assert_eq!(rotated.hash_before("what do ya want for nothing?"), Some(hash));
        assert_ne!(rotated.hash("what do ya want for nothing?"), hash);
    }
}
