//! Bedrock keys: with which Bedrock serves an access key. They go in and never come out.

use chrono::{DateTime, SubsecRound as _, Utc};
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use uuid::Uuid;

use super::SharedAdmin;
use super::access_keys::no_key;
use super::caller::Caller;
use super::hushed::Hushed;
use super::problem::{Kind, Problem};
use super::service::Tag;
use super::sorts::{Changing, Refused, Showing};
use crate::domain::{self, BedrockKeyKind};
use crate::store::{BedrockKeyRow, News, SealedBedrockKey};
use crate::upstream::bedrock::probe::Verdict;
use crate::vault::VaultError;

/// What may be known of a Bedrock key.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct BedrockKey {
    /// The access key that it is for.
    access_key_id: Uuid,
    /// What kind of key it is, by its form.
    kind: KeyKind,
    /// Until when it works. Missing: it does not say; long-term keys never do.
    expires_at: Option<DateTime<Utc>>,
    /// When the first Bedrock key of this access key was registered.
    created_at: DateTime<Utc>,
    /// When another one last took its place.
    rotated_at: Option<DateTime<Utc>>,
    /// When Bedrock was last asked with `verify` whether it takes this key, and answered.
    last_checked_at: Option<DateTime<Utc>>,
    /// What Bedrock says to the key; only in the answer to a registration with `verify`.
    verification: Option<Verification>,
}

/// Kinds of Bedrock keys.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(super) enum KeyKind {
    /// Made from somebody's session (`bedrock-api-key-...`); lives 12 hours at most.
    ShortTerm,
    /// Made in the console (`ABSK...`); lives days, or for ever.
    LongTerm,
    /// Of another form.
    Unknown,
}

/// What Bedrock says to a key.
#[derive(Object, Clone, Debug)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct Verification {
    /// Whether Bedrock takes the key.
    verified: bool,
    /// Why that is not known to be so.
    reason: Option<Unverified>,
}

/// Why it is not known that Bedrock takes a key.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(super) enum Unverified {
    /// Bedrock does not take it: it is wrong, has expired, or was made in another region.
    Refused,
    /// Bedrock knows it, but it may not list inference profiles; whether it may call models was not tried.
    NotPermitted,
    /// Bedrock answered with something else, because it is throttled or broken.
    NoWord,
    /// Bedrock could not be reached, or did not answer within 10 seconds.
    Unreachable,
}

/// A Bedrock key to be registered.
#[derive(Object)]
#[oai(deny_unknown_fields)]
pub(super) struct PutBedrockKey {
    /// The key; white space around it is removed. It never comes back.
    #[oai(write_only, validator(max_length = 16384))]
    key: String,
}

/// The Bedrock key is gone.
#[derive(ApiResponse)]
pub enum BedrockKeyDeleted {
    /// Bedrock no longer serves the access key.
    #[oai(status = 204)]
    Deleted,
}

/// Operations on Bedrock keys.
pub struct BedrockKeysPart;

#[OpenApi(prefix_path = "/admin/access-keys", tag = "Tag::BedrockKeys")]
impl BedrockKeysPart {
    /// Register a Bedrock key
    ///
    /// It takes the place of the one before, and works at once. It is stored encrypted, and cannot be read again.
    ///
    /// With `verify`, Bedrock is asked first whether it takes the key, with a call that costs nothing
    /// (`ListInferenceProfiles` in the region of the access key). The key is registered whatever the answer is.
    #[oai(path = "/:access_key_id/bedrock-key", method = "put", operation_id = "put_bedrock_key")]
    async fn put(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Of which access key.
        access_key_id: Path<Uuid>,
        /// Whether Bedrock is asked.
        #[oai(default)]
        verify: Query<bool>,
        key: Hushed<PutBedrockKey>,
    ) -> Result<Json<BedrockKey>, Refused<Changing>> {
        let id = access_key_id.0;
        let key = domain::BedrockKey::read(&key.0.key).map_err(|problem| Problem::field("key", problem))?;
        if let Some(end) = key.expires_at.filter(|end| *end <= Utc::now()) {
            return Err(Problem::field("key", format!("it has expired at {}; make a new one", end.to_rfc3339())).into());
        }
        let verdict = if verify.0 {
            let access_key = admin.database.access_key(id).await?.ok_or_else(|| no_key(id))?;
            Some(admin.probe.ask(&access_key.bedrock_region, &key.secret).await)
        } else {
            None
        };
        let answered = verdict.is_some_and(|verdict| verdict != Verdict::Unreachable && verdict != Verdict::NoWord);
        // As PostgreSQL keeps it.
        let checked_at = answered.then(|| Utc::now().trunc_subsecs(6));
        let stored = SealedBedrockKey {
            sealed: admin.vault.seal(id, &key.secret).await.map_err(|error| vault_problem(&error))?,
            hash: admin.hasher.hash(key.secret.expose()),
            kind: key.kind,
            expires_at: key.expires_at,
        };
        let row = admin.database.put_bedrock_key(caller.actor(), id, &stored, checked_at).await?;
        let told = BedrockKey::from(row.ok_or_else(|| no_key(id))?);
        admin.changes.apply(&News::AccessKey(id)).await;
        Ok(Json(BedrockKey { verification: verdict.map(Verification::from), ..told }))
    }

    /// Show what is known of a Bedrock key
    ///
    /// Never the key itself.
    #[oai(path = "/:access_key_id/bedrock-key", method = "get", operation_id = "get_bedrock_key")]
    async fn show(
        &self,
        admin: Data<&SharedAdmin>,
        _caller: Caller,
        /// Of which access key.
        access_key_id: Path<Uuid>,
    ) -> Result<Json<BedrockKey>, Refused<Showing>> {
        let row = admin.database.bedrock_key(access_key_id.0).await?;
        Ok(Json(row.ok_or_else(|| no_bedrock_key(access_key_id.0))?.into()))
    }

    /// Remove a Bedrock key
    ///
    /// The access key works on with the plan alone.
    #[oai(path = "/:access_key_id/bedrock-key", method = "delete", operation_id = "delete_bedrock_key")]
    async fn delete(
        &self,
        admin: Data<&SharedAdmin>,
        caller: Caller,
        /// Of which access key.
        access_key_id: Path<Uuid>,
    ) -> Result<BedrockKeyDeleted, Refused<Showing>> {
        match admin.database.delete_bedrock_key(caller.actor(), access_key_id.0).await? {
            Some(true) => {
                admin.changes.apply(&News::AccessKey(access_key_id.0)).await;
                Ok(BedrockKeyDeleted::Deleted)
            }
            Some(false) => Err(no_bedrock_key(access_key_id.0).into()),
            None => Err(no_key(access_key_id.0).into()),
        }
    }
}

impl From<BedrockKeyRow> for BedrockKey {
    fn from(row: BedrockKeyRow) -> Self {
        Self {
            access_key_id: row.access_key_id,
            kind: match BedrockKeyKind::parse(&row.kind) {
                BedrockKeyKind::ShortTerm => KeyKind::ShortTerm,
                BedrockKeyKind::LongTerm => KeyKind::LongTerm,
                BedrockKeyKind::Unknown => KeyKind::Unknown,
            },
            expires_at: row.expires_at,
            created_at: row.created_at,
            rotated_at: row.rotated_at,
            last_checked_at: row.last_checked_at,
            verification: None,
        }
    }
}

impl From<Verdict> for Verification {
    fn from(verdict: Verdict) -> Self {
        let reason = match verdict {
            Verdict::Taken => None,
            Verdict::Refused => Some(Unverified::Refused),
            Verdict::NotPermitted => Some(Unverified::NotPermitted),
            Verdict::NoWord => Some(Unverified::NoWord),
            Verdict::Unreachable => Some(Unverified::Unreachable),
        };
        Self { verified: reason.is_none(), reason }
    }
}

fn no_bedrock_key(access_key_id: Uuid) -> Problem {
    let message = format!("There is no Bedrock key of the access key {access_key_id}. Register one with PUT.");
    Problem::new(Kind::NotFound, "no_bedrock_key", message)
}

/// What a failure of the vault means to an administrator.
pub(super) fn vault_problem(error: &VaultError) -> Problem {
    tracing::error!(%error, "the vault failed an operation of the admin API");
    if matches!(error, VaultError::CannotOpen) {
        let message = "What was stored encrypted cannot be opened any more: the vault's key is another one, or it is damaged. \
                       Register the Bedrock key again.";
        return Problem::new(Kind::Conflict, "cannot_be_opened", message);
    }
    if let VaultError::TooLong(bytes) = error {
        return Problem::field("key", format!("it is longer than the {bytes} bytes that AWS KMS encrypts"));
    }
    let message = "What keeps the keys encrypted does not answer. Nothing was changed. Try again soon.";
    Problem::new(Kind::Away, "vault_away", message).after(5)
}
