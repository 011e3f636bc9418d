//! The secrets of a development set-up: made once, then kept, readable for their owner alone.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::fingerprint::fingerprint;
use crate::random;

/// What the proxy needs beside a database.
#[derive(Debug)]
pub(super) struct Secrets {
    /// For `KEY_HASHER_SECRET`.
    pub(super) key_hasher_secret: String,
    /// For `LOCAL_VAULT_KEY_FILE`.
    pub(super) vault_key_file: PathBuf,
}

impl Secrets {
    /// Reads the secrets of the folder and makes those that are missing.
    pub(super) fn keep(folder: &Path) -> Result<Self> {
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        }
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::set_permissions(folder, Permissions::from_mode(0o700))
            }
            made => made,
        }
        .with_context(|| format!("cannot make {} for its owner alone", folder.display()))?;
        let hasher_file = folder.join("key-hasher-secret");
        let vault_key_file = folder.join("vault.key");
        make_if_missing(&hasher_file, || Ok(random::hex(&random::bytes::<32>()?)))?;
        make_if_missing(&vault_key_file, || Ok(BASE64_STANDARD.encode(random::bytes::<32>()?)))?;
        let key_hasher_secret = read(&hasher_file)?;
        Ok(Self { key_hasher_secret, vault_key_file })
    }

    /// Changes when one of the secrets does.
    pub(super) fn fingerprint(&self) -> Result<String> {
        Ok(fingerprint(format!("{} {}", self.key_hasher_secret, read(&self.vault_key_file)?).as_bytes()))
    }
}

/// Reads a file of one line.
pub(super) fn read(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim().to_owned())
}

/// Writes a file of one line that only its owner can read, in the place of an earlier one.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    let draft = path.with_extension("new");
    let _ = fs::remove_file(&draft);
    // A name of its own and then a new name, so that a run that is killed leaves no half-written secret.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| writeln!(file, "{text}"))
        .and_then(|()| fs::rename(&draft, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a file of one line unless it is there.
pub(super) fn make_if_missing(path: &Path, make: impl FnOnce() -> Result<String>) -> Result<()> {
    if path.exists() { Ok(()) } else { write(path, &make()?) }
}
