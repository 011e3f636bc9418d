//! Access keys, as administrators see and change them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::announce::{News, announce};
use super::audit::{self, Actor, Deed};
use super::idempotency::{Made, Once, answered_before, keep};
use super::{Change, ChangeError, Obstacle, bedrock_keys};
use crate::domain::bedrock_target::check_in_region;
use crate::domain::{Family, KeyHash};
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

/// An access key to be issued.
#[derive(Clone, Debug)]
pub struct NewAccessKey {
    /// Made by the caller, because the vault binds secrets to it.
    pub id: Uuid,
    /// Hash of the key.
    pub hash: KeyHash,
    /// What may be shown of it.
    pub prefix: String,
    /// What tells the keys of a user apart.
    pub label: Option<String>,
    /// AWS region of its Bedrock calls.
    pub region: String,
    /// Its Bedrock model.
    pub model: String,
    /// Its Bedrock models for whole families of requested models.
    pub family_models: Vec<(Family, String)>,
}

/// What is changed of an access key; what is `None` stays.
#[derive(Clone, Default, Debug)]
pub struct AccessKeyChange {
    /// What tells the keys of a user apart.
    pub label: Change<String>,
    /// AWS region of its Bedrock calls.
    pub region: Option<String>,
    /// Its Bedrock model.
    pub model: Option<String>,
    /// Its Bedrock models for whole families, each family once.
    pub family_models: Vec<(Family, Change<String>)>,
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

    /// Issues an access key; `None` when there is no such user.
    ///
    /// # Errors
    /// When the user is inactive, or the database fails.
    pub async fn create_access_key(
        &self,
        actor: &Actor,
        user_id: Uuid,
        new: &NewAccessKey,
        once: Option<&Once>,
    ) -> Result<Option<Made<AccessKeyRow>>, ChangeError> {
        let mut transaction = self.pool.begin().await?;
        if let Some(before) = answered_before(&mut transaction, once).await? {
            return Ok(Some(before));
        }
        let user = sqlx::query!("SELECT status FROM users WHERE id = $1 AND deleted_at IS NULL FOR SHARE", user_id)
            .fetch_optional(&mut *transaction)
            .await?;
        match user {
            None => return Ok(None),
            Some(user) if user.status == "active" => {}
            Some(_) => return Err(Obstacle::UserInactive.into()),
        }
        sqlx::query!(
            "INSERT INTO access_keys (id, user_id, key_hash, key_prefix, label, bedrock_region, bedrock_model)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            new.id,
            user_id,
            new.hash.to_hex(),
            new.prefix,
            new.label,
            new.region,
            new.model
        )
        .execute(&mut *transaction)
        .await?;
        for (family, model) in &new.family_models {
            set_family_model(&mut transaction, new.id, *family, Some(model)).await?;
        }
        let row = read(&mut transaction, new.id).await?.ok_or(sqlx::Error::RowNotFound)?;
        told(&mut transaction, actor, "access_key.create", None, &row).await?;
        keep(&mut transaction, once, &row).await?;
        transaction.commit().await?;
        Ok(Some(Made::Now(row)))
    }

    /// Changes an access key; `None` when there is none.
    ///
    /// # Errors
    /// When the key is revoked, a model is not in the region, or the database fails.
    pub async fn change_access_key(
        &self,
        actor: &Actor,
        id: Uuid,
        change: &AccessKeyChange,
    ) -> Result<Option<AccessKeyRow>, ChangeError> {
        let mut transaction = self.pool.begin().await?;
        let Some(locked) = lock(&mut transaction, id).await? else { return Ok(None) };
        locked.is_not_revoked()?;
        let (relabel, label) = change.label.parameters();
        sqlx::query!(
            "UPDATE access_keys
                SET label = CASE WHEN $2 THEN $3 ELSE label END,
                    bedrock_region = coalesce($4, bedrock_region),
                    bedrock_model = coalesce($5, bedrock_model)
              WHERE id = $1",
            id,
            relabel,
            label,
            change.region,
            change.model
        )
        .execute(&mut *transaction)
        .await?;
        for (family, model) in &change.family_models {
            if let (true, model) = model.parameters() {
                set_family_model(&mut transaction, id, *family, model).await?;
            }
        }
        let Some(after) = read(&mut transaction, id).await? else { return Ok(None) };
        after.is_in_one_region()?;
        told(&mut transaction, actor, "access_key.change", Some(&locked.row), &after).await?;
        announce(&mut transaction, &News::AccessKey(id)).await?;
        transaction.commit().await?;
        Ok(Some(after))
    }

    /// Revokes an access key and removes its Bedrock key. Whether there is such a key; one that is revoked stays so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_access_key(&self, actor: &Actor, id: Uuid) -> Result<bool, ChangeError> {
        let mut transaction = self.pool.begin().await?;
        let Some(locked) = lock(&mut transaction, id).await? else { return Ok(false) };
        if locked.is_not_revoked().is_err() {
            return Ok(true);
        }
        sqlx::query!("UPDATE access_keys SET status = 'revoked', revoked_at = now() WHERE id = $1", id)
            .execute(&mut *transaction)
            .await?;
        bedrock_keys::remove(&mut transaction, actor, &[id]).await?;
        let Some(after) = read(&mut transaction, id).await? else { return Ok(false) };
        told(&mut transaction, actor, "access_key.revoke", Some(&locked.row), &after).await?;
        announce(&mut transaction, &News::AccessKey(id)).await?;
        transaction.commit().await?;
        Ok(true)
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
    fn is_in_one_region(&self) -> Result<(), ChangeError> {
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

async fn set_family_model(
    connection: &mut PgConnection,
    id: Uuid,
    family: Family,
    model: Option<&String>,
) -> Result<(), sqlx::Error> {
    let family = family.name();
    match model {
        Some(model) => {
            sqlx::query!(
                "INSERT INTO access_key_models (access_key_id, family, bedrock_model) VALUES ($1, $2, $3)
                 ON CONFLICT ON CONSTRAINT access_key_models_pkey DO UPDATE SET bedrock_model = excluded.bedrock_model",
                id,
                family,
                model
            )
            .execute(connection)
            .await?
        }
        None => {
            sqlx::query!("DELETE FROM access_key_models WHERE access_key_id = $1 AND family = $2", id, family)
                .execute(connection)
                .await?
        }
    };
    Ok(())
}
