//! The access key that an organisation hands to a developer: its form, its making and the parts that may be shown.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Secret;

const PREFIX: &str = "ak_";
/// 32 random bytes in base64url without padding.
const RANDOM_CHARS: usize = 43;
/// Characters of the key that may be shown and logged (`access_keys.key_prefix`).
const SHOWN_CHARS: usize = 12;

/// An access key: `ak_` and 43 characters of base64url (256 random bits). Shown once, stored only as a hash.
#[derive(Clone, Debug)]
pub struct AccessKey(Secret);

impl AccessKey {
    /// Makes a new key from the operating system's random source.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
        getrandom::fill(bytes.as_mut())?;
        Ok(Self(Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes.as_ref())))))
    }

    /// Reads a key that a client sent; `None` when it has not the form of an access key.
    pub fn parse(text: &str) -> Option<Self> {
        let random = text.strip_prefix(PREFIX)?;
        let well_formed =
            random.len() == RANDOM_CHARS && random.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        well_formed.then(|| Self(Secret::new(text)))
    }

    /// Whether a credential claims to be one of our keys, well formed or not: such a value is never forwarded.
    pub fn looks_like_one(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// The first twelve characters, which identify a key to people without giving it away.
    pub fn shown_prefix(&self) -> &str {
        let text = self.0.expose();
        text.get(..SHOWN_CHARS).unwrap_or(text)
    }

    /// The whole key: for hashing, and for printing it once to whom it was issued.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// HMAC-SHA256 of a key under the server's secret; stored as 64 lower-case hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// The form in which the database stores it.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// Reads that form.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_is_well_formed_and_never_twice_the_same() {
        let (one, other) = (AccessKey::generate().unwrap(), AccessKey::generate().unwrap());
        assert!(AccessKey::parse(one.expose()).is_some());
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.shown_prefix().len(), SHOWN_CHARS);
    }

    #[test]
    fn other_texts_are_no_keys() {
        for text in
            ["", "ak_", "sk-ant-x", "ak_short", &format!("ak_{}", "!".repeat(43)), &format!("ak_{}", "é".repeat(21))]
        {
            assert!(AccessKey::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn debug_hides_the_key() {
        let key = AccessKey::generate().unwrap();
        assert!(!format!("{key:?}").contains(key.expose()));
    }
}
