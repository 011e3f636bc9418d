//! Random secrets for the machine of a developer.

use std::fmt::Write;

use anyhow::{Context, Result};

/// Random bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
    Ok(bytes)
}

/// Bytes in lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_keeps_leading_zeroes() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }

    #[test]
    fn two_secrets_differ() -> Result<()> {
        assert_ne!(bytes::<16>()?, bytes::<16>()?);
        Ok(())
    }
}
