//! The name of a content: `sha256:` and 64 hex digits.

use std::fmt::{Display, Formatter};

use anyhow::{Result, ensure};
use sha2::{Digest as _, Sha256};

/// A digest by SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(String);

impl Digest {
    /// The digest of a content.
    pub fn of(content: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(content)))
    }

    /// Reads a digest; other algorithms than SHA-256 are refused, because nothing here makes them.
    pub fn parse(text: &str) -> Result<Self> {
        let digits = text.strip_prefix("sha256:").unwrap_or_default();
        ensure!(
            digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
            "{text:?} is no digest; one is `sha256:` and 64 hex digits"
        );
        Ok(Self(digits.to_owned()))
    }

    /// The hex digits alone.
    pub fn hex(&self) -> &str {
        &self.0
    }
}

impl Display for Digest {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        write!(out, "sha256:{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written() -> Result<()> {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.to_string(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(Digest::parse(&digest.to_string())?, digest);
        Ok(())
    }

    #[test]
    fn nothing_else_is_a_digest() {
        for text in ["", "sha256:", "sha256:../../etc/passwd", &format!("sha512:{}", "0".repeat(64)), &"0".repeat(64)] {
            assert!(Digest::parse(text).is_err(), "{text}");
        }
    }
}
