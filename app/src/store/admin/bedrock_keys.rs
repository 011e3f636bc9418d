//! Bedrock keys: what is known of them, and how they come and go.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::ChangeError;
use super::access_keys::lock;
use super::announce::{News, announce};
use super::audit::{self, Actor, Deed};
use crate::domain::{BedrockKeyKind, KeyHash};
use crate::store::{Database, StoreError};

/// What may be known of a Bedrock key.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct BedrockKeyRow {
    /// The access key that it is for.
    pub access_key_id: Uuid,
    /// The name of a [`BedrockKeyKind`].
    pub kind: String,
    /// Until when it works, where it says so.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the first one was registered.
    pub created_at: DateTime<Utc>,
    /// When another one last took its place.
    pub rotated_at: Option<DateTime<Utc>>,
    /// When Bedrock was last asked whether it takes the key, and answered.
    pub last_checked_at: Option<DateTime<Utc>>,
}

/// A Bedrock key as it is stored.
#[derive(Clone, Debug)]
pub struct SealedBedrockKey {
    /// As the vault has sealed it.
    pub sealed: Vec<u8>,
    /// Its hash.
    pub hash: KeyHash,
    /// Its kind.
    pub kind: BedrockKeyKind,
    /// Until when it works, where it says so.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Database {
    /// What is known of the Bedrock key of an access key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bedrock_key(&self, access_key_id: Uuid) -> Result<Option<BedrockKeyRow>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, access_key_id).await
    }

    /// The Bedrock key of an access key, sealed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sealed_bedrock_key(&self, access_key_id: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
        let query =
            sqlx::query_scalar!("SELECT encrypted_key FROM bedrock_keys WHERE access_key_id = $1", access_key_id);
        Ok(query.fetch_optional(&self.pool).await?)
    }

    /// Registers the Bedrock key of an access key, in place of the one before; `None` when there is no such access key.
    ///
    /// # Errors
    /// When the access key is revoked, its user is inactive, or the database fails.
    pub async fn put_bedrock_key(
        &self,
        actor: &Actor,
        access_key_id: Uuid,
        key: &SealedBedrockKey,
        checked_at: Option<DateTime<Utc>>,
    ) -> Result<Option<BedrockKeyRow>, ChangeError> {
        let mut transaction = self.begin().await?;
        let Some(locked) = lock(&mut transaction, access_key_id).await? else { return Ok(None) };
        locked.is_in_use()?;
        let before = read(&mut transaction, access_key_id).await?;
        sqlx::query!(
            "INSERT INTO bedrock_keys (access_key_id, encrypted_key, key_hash, kind, expires_at, last_checked_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT ON CONSTRAINT bedrock_keys_pkey DO UPDATE
                SET encrypted_key = excluded.encrypted_key, key_hash = excluded.key_hash, kind = excluded.kind,
                    expires_at = excluded.expires_at, last_checked_at = excluded.last_checked_at, rotated_at = now()",
            access_key_id,
            key.sealed,
            key.hash.to_hex(),
            key.kind.name(),
            key.expires_at,
            checked_at
        )
        .execute(&mut *transaction)
        .await?;
        let row = read(&mut transaction, access_key_id).await?.ok_or(sqlx::Error::RowNotFound)?;
        let id = access_key_id.to_string();
        let deed = Deed {
            action: "bedrock_key.put",
            object_type: "bedrock_key",
            object_id: &id,
            before: before.and_then(|row| serde_json::to_value(row).ok()),
            after: serde_json::to_value(&row).ok(),
        };
        audit::write(&mut transaction, actor, deed).await?;
        announce(&mut transaction, &News::AccessKey(access_key_id)).await?;
        transaction.commit().await?;
        Ok(Some(row))
    }

    /// Removes the Bedrock key of an access key. Whether there was one; `None` when there is no such access key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_bedrock_key(&self, actor: &Actor, access_key_id: Uuid) -> Result<Option<bool>, ChangeError> {
        let mut transaction = self.begin().await?;
        if lock(&mut transaction, access_key_id).await?.is_none() {
            return Ok(None);
        }
        let removed = remove(&mut transaction, actor, &[access_key_id]).await?;
        announce(&mut transaction, &News::AccessKey(access_key_id)).await?;
        transaction.commit().await?;
        Ok(Some(removed > 0))
    }
}

/// Removes the Bedrock keys of these access keys, and says how many it were.
pub(super) async fn remove(
    connection: &mut PgConnection,
    actor: &Actor,
    access_key_ids: &[Uuid],
) -> Result<u64, StoreError> {
    let removed = sqlx::query!(
        "WITH gone AS (
             DELETE FROM bedrock_keys WHERE access_key_id = ANY($1)
             RETURNING access_key_id, kind, expires_at, created_at, rotated_at, last_checked_at
         )
         INSERT INTO audit_log (request_id, actor, address, action, object_type, object_id, before)
         SELECT $2, $3, $4, 'bedrock_key.delete', 'bedrock_key', access_key_id::text, to_jsonb(gone) FROM gone",
        access_key_ids,
        actor.request_id,
        actor.name,
        actor.address.to_string()
    )
    .execute(connection)
    .await?;
    Ok(removed.rows_affected())
}

async fn read(connection: &mut PgConnection, access_key_id: Uuid) -> Result<Option<BedrockKeyRow>, StoreError> {
    let row = sqlx::query_as!(
        BedrockKeyRow,
        "SELECT access_key_id, kind, expires_at, created_at, rotated_at, last_checked_at
           FROM bedrock_keys WHERE access_key_id = $1",
        access_key_id
    )
    .fetch_optional(connection)
    .await?;
    Ok(row)
}
