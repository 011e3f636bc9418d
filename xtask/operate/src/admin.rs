//! `cargo xtask admin set-password`: hashes the administrator's password here, and puts the hash into the stack's secret.

use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _, stdin};

use anyhow::{Context, Result, anyhow, ensure};
use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use serde_json::json;
use xtask::progress::step;
use zeroize::Zeroizing;

use crate::aws::{Aws, Where};
use crate::deployed::{Deployed, Physical};
use crate::failure::told;

/// Passwords shorter than this are refused, as by `claude-code-proxy hash-password`.
const SHORTEST: usize = 12;
/// What the name of the secret ends with, before the six characters that AWS adds.
const SECRET: &str = "/admin-credentials";

/// What can be done.
#[derive(clap::Args, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand, Debug)]
enum Verb {
    /// Set the administrator's name and password; the password is typed twice, or is the first line of standard input
    SetPassword {
        /// The administrator's name
        #[arg(long, default_value = "admin", value_parser = username)]
        username: String,
    },
}

pub(crate) async fn run(place: &Where, arguments: &Arguments) -> Result<()> {
    let Verb::SetPassword { username } = &arguments.verb;
    set_password(place, username).await
}

/// The ARN of the secret with the administrator's name and the hash, which is made empty.
pub(crate) fn secret(resources: &BTreeMap<String, Physical>) -> Option<&str> {
    let mut secrets = resources.values().filter(|resource| resource.type_name == "AWS::SecretsManager::Secret");
    secrets.find(|secret| secret.id.contains(SECRET)).map(|secret| secret.id.as_str())
}

async fn set_password(place: &Where, username: &str) -> Result<()> {
    let aws = Aws::open(place).await?;
    // Before anybody types: is there something to write it to?
    let deployed = Deployed::get(&aws).await?;
    let resources = deployed.resources(&aws).await?;
    let secret = secret(&resources).with_context(|| {
        format!("the stack ({}) has no secret for it yet: `cargo xtask deploy` makes it", deployed.status.as_str())
    })?;
    // In a thread of its own, so that Ctrl-C is heard meanwhile.
    let password = tokio::task::spawn_blocking(read_password).await.context("reading the password was stopped")??;
    let value = Zeroizing::new(json!({ "username": username, "password_hash": hash(&password)? }).to_string());
    drop(password);
    let sent = aws.secrets().put_secret_value().secret_id(secret).secret_string(value.as_str()).send().await;
    sent.map_err(|error| told(error, "write the hash of the password"))?;
    step(format_args!("{username:?} has a new password; AWS knows its Argon2id hash only"));
    if deployed.image().is_some() {
        step(
            "it works at the next login: a task that refuses one reads the secret again; logins from before are over within 5 minutes",
        );
    } else {
        step("the service reads it when it starts");
    }
    Ok(())
}

/// Whether the secret has a value, which is not read.
pub(crate) async fn password_set(aws: &Aws, resources: &BTreeMap<String, Physical>) -> Result<Option<bool>> {
    let Some(secret) = secret(resources) else { return Ok(None) };
    match aws.secrets().describe_secret().secret_id(secret).send().await {
        Ok(answer) => {
            let stages = answer.version_ids_to_stages.unwrap_or_default();
            Ok(Some(stages.values().flatten().any(|stage| stage == "AWSCURRENT")))
        }
        Err(error) => Err(told(error, "ask whether the administrator has a password")),
    }
}

fn read_password() -> Result<Zeroizing<String>> {
    let password = if stdin().is_terminal() {
        let password = Zeroizing::new(rpassword::prompt_password("Password: ")?);
        let again = Zeroizing::new(rpassword::prompt_password("The same again: ")?);
        ensure!(password == again, "the two passwords differ; nothing was changed");
        password
    } else {
        let mut line = Zeroizing::new(String::new());
        stdin().lock().read_line(&mut line).context("standard input cannot be read")?;
        Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned())
    };
    check(&password)?;
    Ok(password)
}

fn check(password: &str) -> Result<()> {
    let length = password.chars().count();
    ensure!(length > 0, "no password came: type it, or give it as the first line of standard input");
    ensure!(length >= SHORTEST, "the password has {length} characters; take at least {SHORTEST}");
    Ok(())
}

/// What the app takes as a name.
fn username(text: &str) -> Result<String, String> {
    match text.chars().count() {
        1..=255 if !text.contains(':') => Ok(text.to_owned()),
        _ => Err("a name has 1 to 255 characters, and no colon".to_owned()),
    }
}

/// The hash that the app reads: Argon2id with its parameters, in the PHC string form.
fn hash(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|error| anyhow!("hashing failed: {error}"))?.to_string())
}

#[cfg(test)]
mod tests {
    use argon2::PasswordHash;
    use argon2::password_hash::PasswordVerifier as _;

    use super::*;

    #[test]
    fn a_hash_is_one_that_the_app_verifies() -> Result<()> {
        let text = hash("correct horse battery")?;
        let parsed = PasswordHash::new(&text).map_err(|error| anyhow!("{error}"))?;
        assert!(parsed.algorithm.as_str() == "argon2id" && parsed.hash.is_some());
        assert!(Argon2::default().verify_password(b"correct horse battery", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"wrong horse battery", &parsed).is_err());
        Ok(())
    }

    #[test]
    fn passwords_and_names_that_the_app_would_not_take_are_refused() {
        let told = |password| check(password).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told("").contains("no password came"));
        assert_eq!(told("eleven char"), "the password has 11 characters; take at least 12");
        assert_eq!(told("twelve chars"), "");
        assert_eq!(told("äöüäöüäöüäöü"), "", "characters, and not bytes");
        assert!(username("ada").is_ok() && username("a:b").is_err() && username("").is_err());
    }

    #[test]
    fn the_secret_is_found_by_its_name() {
        let of = |id: &str, type_name: &str| Physical { id: id.to_owned(), type_name: type_name.to_owned() };
        let secret_type = "AWS::SecretsManager::Secret";
        let arn = "arn:aws:secretsmanager:us-east-1:1:secret:claude-code-proxy/admin-credentials-AbCdEf";
        let resources = [
            (
                "A".to_owned(),
                of("arn:aws:secretsmanager:us-east-1:1:secret:claude-code-proxy/database-AbCdEf", secret_type),
            ),
            ("B".to_owned(), of("claude-code-proxy/admin-credentials", "AWS::Other::Thing")),
            ("C".to_owned(), of(arn, secret_type)),
        ];
        assert_eq!(secret(&resources.into()), Some(arn));
    }
}
