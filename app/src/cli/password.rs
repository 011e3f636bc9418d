//! The role `hash-password`: Argon2id in the PHC string form.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use anyhow::Context as _;
use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use zeroize::Zeroizing;

/// Passwords shorter than this are refused.
const SHORTEST: usize = 12;

/// Reads a password and prints its hash.
pub(super) fn hash_password() -> anyhow::Result<ExitCode> {
    let password = Zeroizing::new(read_password()?);
    let length = password.chars().count();
    anyhow::ensure!(length >= SHORTEST, "the password has {length} characters; take at least {SHORTEST}");
    println!("{}", hash(&password)?);
    Ok(ExitCode::SUCCESS)
}

fn read_password() -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() {
        let password = Zeroizing::new(rpassword::prompt_password("Password: ")?);
        let again = Zeroizing::new(rpassword::prompt_password("The same again: ")?);
        anyhow::ensure!(password == again, "the two passwords differ");
        return Ok(password.to_string());
    }
    super::key::first_line_of_stdin().context("no password came on standard input")
}

fn hash(password: &str) -> anyhow::Result<String> {
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| anyhow::anyhow!("hashing failed: {error}"))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::PasswordHash;
    use argon2::password_hash::PasswordVerifier as _;

    #[test]
    fn a_hash_verifies_its_password_and_no_other() {
        let text = hash("correct horse battery").unwrap();
        let parsed = PasswordHash::new(&text).unwrap();
        assert!(text.starts_with("$argon2id$"));
        assert!(Argon2::default().verify_password(b"correct horse battery", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"wrong horse battery", &parsed).is_err());
    }
}
