//! Access keys, as administrators see them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::audit::{self, Actor, Deed};
use super::{ChangeError, Obstacle};
use crate::domain::bedrock_target::check_in_region;
use crate::store::{Database, StoreError};

/// An access key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct AccessKeyRow {
    /// `access_keys.id`
    pub id: Uuid,
    /// `users.id` of the holder.
    pub user_id: Uuid,
    /// What may be shown of it.
    pub key_prefix: String,
    /// What tells the keys of a user apart.
    pub label: Option<String>,
    /// `active`, `rotating` or `revoked`.
    pub status: String,
    /// AWS region of its Bedrock calls.
    pub bedrock_region: String,
    /// Its Bedrock model.
    pub bedrock_model: String,
    /// Its Bedrock models for whole families of requested models, by the families' names.
    pub family_models: Json<BTreeMap<String, String>>,
    /// Whether it has a Bedrock key.
    pub bedrock_key: bool,
    /// When it was issued.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it ends, once another key has taken its place.
    pub rotation_expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// An access key that nobody else changes until the transaction ends.
pub(super) struct Locked {
    pub(super) row: AccessKeyRow,
    pub(super) user_is_active: bool,
}

impl Database {
    /// The keys of a user, newest first, those after a sort key only, and how many there are on all pages; `None` when
    /// there is no such user.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn access_keys(
        &self,
        user_id: Uuid,
        status: Option<&str>,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<Option<(Vec<AccessKeyRow>, i64)>, StoreError> {
        let total = sqlx::query_scalar!(
            r#"SELECT (SELECT count(*) FROM access_keys
                        WHERE user_id = u.id AND ($2::text IS NULL OR status = $2)) AS "total!"
                 FROM users u WHERE id = $1 AND deleted_at IS NULL"#,
            user_id,
            status
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(total) = total else { return Ok(None) };
        let (after_time, after_id) = after.unzip();
        let rows = sqlx::query_as!(
            AccessKeyRow,
            r#"SELECT id, user_id, key_prefix, label, status, bedrock_region, bedrock_model,
                      (SELECT coalesce(jsonb_object_agg(family, m.bedrock_model), '{}') FROM access_key_models m
                        WHERE m.access_key_id = k.id) AS "family_models!: Json<BTreeMap<String, String>>",
                      EXISTS(SELECT FROM bedrock_keys b WHERE b.access_key_id = k.id) AS "bedrock_key!",
                      created_at, last_used_at, rotation_expires_at, revoked_at
                 FROM access_keys k
                WHERE user_id = $1
                  AND ($2::text IS NULL OR status = $2)
                  AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))
                ORDER BY created_at DESC, id DESC
                LIMIT $5"#,
            user_id,
            status,
            after_time,
            after_id,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(Some((rows, total)))
    }

    /// An access key, revoked ones included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn access_key(&self, id: Uuid) -> Result<Option<AccessKeyRow>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, id).await
    }
}

impl Locked {
    /// A key that is revoked stays as it is.
    pub(super) fn is_not_revoked(&self) -> Result<(), Obstacle> {
        if self.row.status == "revoked" { Err(Obstacle::KeyRevoked) } else { Ok(()) }
    }

    /// Nothing is added to what does not work.
    pub(super) fn is_in_use(&self) -> Result<(), Obstacle> {
        self.is_not_revoked()?;
        if self.user_is_active { Ok(()) } else { Err(Obstacle::UserInactive) }
    }
}

impl AccessKeyRow {
    /// An ARN serves in its own region only.
    pub(super) fn is_in_one_region(&self) -> Result<(), ChangeError> {
        let of_families = self.family_models.iter().map(|(family, model)| (format!("family_models.{family}"), model));
        for (name, model) in std::iter::once(("model".to_owned(), &self.bedrock_model)).chain(of_families) {
            check_in_region(model, &self.bedrock_region).map_err(|problem| ChangeError::Field { name, problem })?;
        }
        Ok(())
    }
}

/// Has nobody else change an access key, nor deactivate its user, until the transaction ends. The user is locked first
/// everywhere, so that nobody waits in a circle.
pub(super) async fn lock(connection: &mut PgConnection, id: Uuid) -> Result<Option<Locked>, ChangeError> {
    let user_id = sqlx::query_scalar!("SELECT user_id FROM access_keys WHERE id = $1", id)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(user_id) = user_id else { return Ok(None) };
    let user = sqlx::query!("SELECT status, deleted_at FROM users WHERE id = $1 FOR SHARE", user_id)
        .fetch_one(&mut *connection)
        .await?;
    sqlx::query!("SELECT id FROM access_keys WHERE id = $1 FOR NO KEY UPDATE", id).fetch_one(&mut *connection).await?;
    let row = read(connection, id).await?;
    let user_is_active = user.status == "active" && user.deleted_at.is_none();
    Ok(row.map(|row| Locked { row, user_is_active }))
}

/// An access key, revoked ones included.
pub(super) async fn read(connection: &mut PgConnection, id: Uuid) -> Result<Option<AccessKeyRow>, StoreError> {
    let row = sqlx::query_as!(
        AccessKeyRow,
        r#"SELECT id, user_id, key_prefix, label, status, bedrock_region, bedrock_model,
                  (SELECT coalesce(jsonb_object_agg(family, m.bedrock_model), '{}') FROM access_key_models m
                    WHERE m.access_key_id = k.id) AS "family_models!: Json<BTreeMap<String, String>>",
                  EXISTS(SELECT FROM bedrock_keys b WHERE b.access_key_id = k.id) AS "bedrock_key!",
                  created_at, last_used_at, rotation_expires_at, revoked_at
             FROM access_keys k WHERE id = $1"#,
        id
    )
    .fetch_optional(connection)
    .await?;
    Ok(row)
}

/// Writes what is done to an access key into the audit log.
pub(super) async fn told(
    connection: &mut PgConnection,
    actor: &Actor,
    action: &'static str,
    before: Option<&AccessKeyRow>,
    after: &AccessKeyRow,
) -> Result<(), StoreError> {
    let id = after.id.to_string();
    let before = before.and_then(|row| serde_json::to_value(row).ok());
    let after = serde_json::to_value(after).ok();
    audit::write(connection, actor, Deed { action, object_type: "access_key", object_id: &id, before, after }).await
}
