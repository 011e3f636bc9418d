//! How access keys are recognised, and under which key Bedrock keys are encrypted.

use std::path::PathBuf;
use std::time::Duration;

use super::env::Environment;
use super::variables as var;
use crate::domain::Secret;

/// Access keys.
#[derive(Clone, Debug)]
pub struct KeyConfig {
    /// `KEY_HASHER_SECRET`
    pub hasher_secret: Secret,
    /// `KEY_HASHER_SECRET_PREVIOUS`
    pub previous_hasher_secret: Option<Secret>,
    /// `KEY_CACHE_TTL`
    pub cache_ttl: Duration,
}

/// Under which key Bedrock keys are encrypted; one of the two is there.
#[derive(Clone, Debug)]
pub struct VaultConfig {
    /// `LOCAL_VAULT_KEY_FILE`
    pub key_file: Option<PathBuf>,
    /// `KMS_KEY_ID`
    pub kms_key_id: Option<String>,
}

impl KeyConfig {
    /// Reads what a role needs that recognises or issues access keys.
    pub fn read(env: &mut Environment<'_>) -> Option<Self> {
        let hasher_secret = env.secret(&var::KEY_HASHER_SECRET, |text| {
            if text.len() >= 32 {
                Ok(())
            } else {
                Err("is shorter than 32 characters; make one with: openssl rand -hex 32".to_owned())
            }
        });
        let previous_hasher_secret = env.secret(&var::KEY_HASHER_SECRET_PREVIOUS, |_| Ok(()));
        let cache_ttl = env.duration(&var::KEY_CACHE_TTL);
        Some(Self { hasher_secret: hasher_secret?, previous_hasher_secret, cache_ttl: cache_ttl? })
    }
}

impl VaultConfig {
    /// Reads what a role needs that keeps or uses Bedrock keys.
    pub fn read(env: &mut Environment<'_>) -> Option<Self> {
        let key_file = env.parse(&var::LOCAL_VAULT_KEY_FILE, |text| match std::fs::metadata(text) {
            Ok(file) if file.is_file() => Ok(PathBuf::from(text)),
            Ok(_) => Err("is no file".to_owned()),
            Err(error) => Err(format!(
                "cannot be read ({error}); make one with: openssl rand -base64 32 > FILE && chmod 600 FILE"
            )),
        });
        let kms_key_id = env.parse(&var::KMS_KEY_ID, |text| {
            if text.bytes().all(|b| b.is_ascii_graphic()) {
                Ok(text.to_owned())
            } else {
                Err("is no key of AWS KMS; write its id, its ARN, or an alias like alias/claude-code-proxy")
            }
        });
        if !env.is_set(&var::LOCAL_VAULT_KEY_FILE) && !env.is_set(&var::KMS_KEY_ID) {
            env.problem(&var::LOCAL_VAULT_KEY_FILE, None, "is not set, and KMS_KEY_ID neither; one of them has to be");
        }
        Some(Self { key_file, kms_key_id })
    }
}
