//! Hashes keys under the server's secret, so that a stolen table of hashes is of no use without it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::{KeyHash, Secret};

/// HMAC-SHA256 under `KEY_HASHER_SECRET`.
#[derive(Clone)]
pub struct KeyHasher {
    keyed: Hmac<Sha256>,
}

impl KeyHasher {
    /// Prepares the hash; the secret may have any length.
    pub fn new(secret: &Secret) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let keyed = Hmac::new_from_slice(secret.expose().as_bytes()).expect("any length");
        Self { keyed }
    }

    /// The hash of a key.
    pub fn hash(&self, key: &str) -> KeyHash {
        self.hash_bytes(key.as_bytes())
    }

    /// The hash of a credential of any form.
    pub fn hash_bytes(&self, credential: &[u8]) -> KeyHash {
        let mut mac = self.keyed.clone();
        mac.update(credential);
        KeyHash(mac.finalize().into_bytes().into())
    }
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
    }
}
