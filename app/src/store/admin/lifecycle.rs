//! Users come and go: what becomes of their keys.

use sqlx::PgConnection;
use uuid::Uuid;

use super::announce::{News, announce};
use super::audit::{self, Actor, Deed};
use super::users::{UserRow, read, told};
use super::{ChangeError, bedrock_keys};
use crate::store::{Database, StoreError};

impl Database {
    /// Has the keys of a user work no more, and removes their Bedrock keys; `None` when there is no such user.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deactivate_user(&self, actor: &Actor, id: Uuid) -> Result<Option<UserRow>, ChangeError> {
        let mut transaction = self.begin().await?;
        let Some(before) = lock(&mut transaction, id).await? else { return Ok(None) };
        if before.status == "inactive" {
            return Ok(Some(before));
        }
        let keys = lock_keys(&mut transaction, id).await?;
        sqlx::query!("UPDATE users SET status = 'inactive', updated_at = now() WHERE id = $1", id)
            .execute(&mut *transaction)
            .await?;
        bedrock_keys::remove(&mut transaction, actor, &keys).await?;
        let Some(after) = read(&mut transaction, id).await? else { return Ok(None) };
        told(&mut transaction, actor, "user.deactivate", Some(&before), &after).await?;
        announce(&mut transaction, &News::User(id)).await?;
        transaction.commit().await?;
        Ok(Some(after))
    }

    /// Has the keys of a user work again; `None` when there is no such user.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reactivate_user(&self, actor: &Actor, id: Uuid) -> Result<Option<UserRow>, ChangeError> {
        let mut transaction = self.begin().await?;
        let Some(before) = lock(&mut transaction, id).await? else { return Ok(None) };
        if before.status == "active" {
            return Ok(Some(before));
        }
        sqlx::query!("UPDATE users SET status = 'active', updated_at = now() WHERE id = $1", id)
            .execute(&mut *transaction)
            .await?;
        let Some(after) = read(&mut transaction, id).await? else { return Ok(None) };
        told(&mut transaction, actor, "user.reactivate", Some(&before), &after).await?;
        announce(&mut transaction, &News::User(id)).await?;
        transaction.commit().await?;
        Ok(Some(after))
    }

    /// Deletes a user, whose usage stays: revokes all keys and removes their Bedrock keys. Whether there was such a user.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_user(&self, actor: &Actor, id: Uuid) -> Result<bool, ChangeError> {
        let mut transaction = self.begin().await?;
        let Some(before) = lock(&mut transaction, id).await? else { return Ok(false) };
        let keys = lock_keys(&mut transaction, id).await?;
        sqlx::query!(
            "WITH revoked AS (
                 UPDATE access_keys SET status = 'revoked', revoked_at = now() WHERE id = ANY($1)
                 RETURNING id, user_id, key_prefix, status, revoked_at
             )
             INSERT INTO audit_log (request_id, actor, address, action, object_type, object_id, after)
             SELECT $2, $3, $4, 'access_key.revoke', 'access_key', id::text, to_jsonb(revoked) FROM revoked",
            &keys,
            actor.request_id,
            actor.name,
            actor.address.to_string()
        )
        .execute(&mut *transaction)
        .await?;
        bedrock_keys::remove(&mut transaction, actor, &keys).await?;
        sqlx::query!("UPDATE users SET deleted_at = now(), updated_at = now() WHERE id = $1", id)
            .execute(&mut *transaction)
            .await?;
        let object_id = id.to_string();
        let before = serde_json::to_value(before).ok();
        let deed = Deed { action: "user.delete", object_type: "user", object_id: &object_id, before, after: None };
        audit::write(&mut transaction, actor, deed).await?;
        announce(&mut transaction, &News::User(id)).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Has nobody else change a user until the transaction ends.
async fn lock(connection: &mut PgConnection, id: Uuid) -> Result<Option<UserRow>, StoreError> {
    sqlx::query!("SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE", id).fetch_optional(&mut *connection).await?;
    read(connection, id).await
}

/// The keys of a user that are not revoked. In the order in which their last uses are written, so that nobody waits in
/// a circle.
async fn lock_keys(connection: &mut PgConnection, user_id: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let query = sqlx::query_scalar!(
        "SELECT id FROM access_keys WHERE user_id = $1 AND status <> 'revoked' ORDER BY id FOR NO KEY UPDATE",
        user_id
    );
    Ok(query.fetch_all(connection).await?)
}
