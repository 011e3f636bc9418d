//! Rotation: another access key takes the place of one, which works on for a while.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access_keys::{AccessKeyRow, lock, read, told};
use super::announce::{News, announce};
use super::audit::Actor;
use super::idempotency::{Made, Once, answered_before, keep};
use super::{ChangeError, Obstacle, bedrock_keys};
use crate::domain::KeyHash;
use crate::store::Database;

/// What takes the place of an access key.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// Id of the new key.
    pub id: Uuid,
    /// Hash of the new key.
    pub hash: KeyHash,
    /// What may be shown of the new key.
    pub prefix: String,
    /// How long the old key works on.
    pub grace: Duration,
    /// The Bedrock key, sealed anew for the new key, if the old key has one.
    pub bedrock_key: Option<Resealed>,
}

/// A Bedrock key that was sealed for one access key and is now for another.
#[derive(Clone, Debug)]
pub struct Resealed {
    /// As the old access key has it.
    pub from: Vec<u8>,
    /// As the new access key is to have it.
    pub to: Vec<u8>,
}

/// Both keys after a rotation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Rotated {
    /// The new one.
    pub new: AccessKeyRow,
    /// The old one.
    pub old: AccessKeyRow,
}

impl Database {
    /// Issues a key that has everything that another one has, which ends; `None` when there is no such key.
    ///
    /// # Errors
    /// When the key has ended or is about to, its user is inactive, its Bedrock key is not the one that was sealed anew,
    /// or the database fails.
    pub async fn rotate_access_key(
        &self,
        actor: &Actor,
        id: Uuid,
        rotation: &Rotation,
        once: Option<&Once>,
    ) -> Result<Option<Made<Rotated>>, ChangeError> {
        let mut transaction = self.begin().await?;
        if let Some(before) = answered_before(&mut transaction, once).await? {
            return Ok(Some(before));
        }
        let Some(locked) = lock(&mut transaction, id).await? else { return Ok(None) };
        locked.is_in_use()?;
        if locked.row.status == "rotating" {
            return Err(Obstacle::KeyRotating.into());
        }
        if locked.row.bedrock_key != rotation.bedrock_key.is_some() {
            return Err(Obstacle::BedrockKeyChanged.into());
        }
        sqlx::query!(
            "INSERT INTO access_keys (id, user_id, key_hash, key_prefix, label, bedrock_region, bedrock_model)
             SELECT $2, user_id, $3, $4, label, bedrock_region, bedrock_model FROM access_keys WHERE id = $1",
            id,
            rotation.id,
            rotation.hash.to_hex(),
            rotation.prefix
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "INSERT INTO access_key_models (access_key_id, family, bedrock_model)
             SELECT $2, family, bedrock_model FROM access_key_models WHERE access_key_id = $1",
            id,
            rotation.id
        )
        .execute(&mut *transaction)
        .await?;
        if let Some(resealed) = &rotation.bedrock_key {
            let copied = sqlx::query!(
                "INSERT INTO bedrock_keys (access_key_id, encrypted_key, key_hash, kind, expires_at, created_at, rotated_at,
                                           last_checked_at)
                 SELECT $2, $4, key_hash, kind, expires_at, created_at, rotated_at, last_checked_at
                   FROM bedrock_keys WHERE access_key_id = $1 AND encrypted_key = $3",
                id,
                rotation.id,
                resealed.from,
                resealed.to
            )
            .execute(&mut *transaction)
            .await?;
            if copied.rows_affected() != 1 {
                return Err(Obstacle::BedrockKeyChanged.into());
            }
        }
        sqlx::query!(
            "UPDATE access_keys
                SET status = CASE WHEN $2::float8 > 0 THEN 'rotating' ELSE 'revoked' END,
                    rotation_expires_at = now() + make_interval(secs => $2),
                    revoked_at = CASE WHEN $2 > 0 THEN NULL ELSE now() END
              WHERE id = $1",
            id,
            rotation.grace.as_secs_f64()
        )
        .execute(&mut *transaction)
        .await?;
        if rotation.grace.is_zero() {
            bedrock_keys::remove(&mut transaction, actor, &[id]).await?;
        }
        let old = read(&mut transaction, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        let new = read(&mut transaction, rotation.id).await?.ok_or(sqlx::Error::RowNotFound)?;
        told(&mut transaction, actor, "access_key.rotate", Some(&locked.row), &old).await?;
        told(&mut transaction, actor, "access_key.create", None, &new).await?;
        announce(&mut transaction, &News::AccessKey(id)).await?;
        let rotated = Rotated { new, old };
        keep(&mut transaction, once, &rotated).await?;
        transaction.commit().await?;
        Ok(Some(Made::Now(rotated)))
    }
}
