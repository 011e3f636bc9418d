//! The administrator of a development set-up, unless the environment names one.

use std::env;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::proxy::Roles;
use super::secrets::{make_if_missing, read};
use crate::command::output;
use crate::random;

const USERNAME: &str = "admin";
const HASHED_WITHIN: Duration = Duration::from_mins(1);

/// Who may use the admin API, with the password to log in.
pub(super) struct Administrator {
    /// For `ADMIN_USERNAME`.
    pub(super) username: &'static str,
    /// What people type.
    pub(super) password: String,
    /// For `ADMIN_PASSWORD_HASH`.
    pub(super) password_hash: String,
}

/// The administrator with the kept password, made at the first time; nobody where the environment has its own.
pub(super) fn obtain(folder: &Path, roles: &Roles) -> Result<Option<Administrator>> {
    if env::var_os("ADMIN_USERNAME").is_some() || env::var_os("ADMIN_PASSWORD_HASH").is_some() {
        return Ok(None);
    }
    let file = folder.join("admin-password");
    make_if_missing(&file, || Ok(random::hex(&random::bytes::<12>()?)))?;
    let password = read(&file)?;
    // Through standard input, because arguments can be read by every user of the machine.
    let output = output(&mut roles.hash_password(), &password, HASHED_WITHIN)?;
    ensure!(
        output.status.success(),
        "cannot hash the administrator's password in {}: `hash-password` ended with {}: {}",
        file.display(),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let password_hash = String::from_utf8(output.stdout).context("the hash is not text")?.trim().to_owned();
    Ok(Some(Administrator { username: USERNAME, password, password_hash }))
}
