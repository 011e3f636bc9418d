//! Access keys are issued, changed and revoked.

use sqlx::PgConnection;
use uuid::Uuid;

use super::access_keys::{AccessKeyRow, lock, read, told};
use super::announce::{News, announce};
use super::audit::Actor;
use super::idempotency::{Made, Once, answered_before, keep};
use super::{Change, ChangeError, Obstacle, bedrock_keys};
use crate::domain::{Family, KeyHash};
use crate::store::Database;

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

impl Database {
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
        let mut transaction = self.begin().await?;
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
        let mut transaction = self.begin().await?;
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
        let mut transaction = self.begin().await?;
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
