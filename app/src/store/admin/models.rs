//! The map of models, as administrators see and change it.

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::ChangeError;
use super::announce::{News, announce};
use super::audit::{self, Actor, Deed};
use super::idempotency::{Once, answered_before, keep};
use crate::domain::MappedModel;
use crate::store::{Database, StoreError};

/// A model that developers can ask for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct ModelRow {
    /// Its name in the Messages API.
    pub model: String,
    /// Its name for people.
    pub display_name: String,
    /// What serves it on Bedrock.
    pub bedrock_model: String,
    /// Its place in the list: newer models have larger ones.
    pub position: i32,
}

impl Database {
    /// Models, newest first, those after a place only, and how many there are on all pages.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn model_rows(&self, after: Option<i32>, limit: i64) -> Result<(Vec<ModelRow>, i64), StoreError> {
        let rows = sqlx::query_as!(
            ModelRow,
            "SELECT model, display_name, bedrock_model, position FROM model_map
              WHERE $1::int IS NULL OR position < $1 ORDER BY position DESC LIMIT $2",
            after,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        let total = sqlx::query_scalar!(r#"SELECT count(*) AS "total!" FROM model_map"#).fetch_one(&self.pool).await?;
        Ok((rows, total))
    }

    /// Adds a model, unless the same request has done so before.
    ///
    /// # Errors
    /// When there is one with this name (`model_map_pkey`), or the database fails.
    pub async fn create_model(
        &self,
        actor: &Actor,
        new: &MappedModel,
        once: Option<&Once>,
    ) -> Result<ModelRow, ChangeError> {
        let mut transaction = self.begin().await?;
        if let Some(before) = answered_before(&mut transaction, once).await? {
            return Ok(before.into_row());
        }
        let row = sqlx::query_as!(
            ModelRow,
            "INSERT INTO model_map (model, display_name, bedrock_model) VALUES ($1, $2, $3)
             RETURNING model, display_name, bedrock_model, position",
            new.name,
            new.display_name,
            new.bedrock_model
        )
        .fetch_one(&mut *transaction)
        .await?;
        told(&mut transaction, actor, "model.create", None, Some(&row)).await?;
        keep(&mut transaction, once, &row).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Changes a model; `None` when there is none with this name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_model(&self, actor: &Actor, change: &MappedModel) -> Result<Option<ModelRow>, ChangeError> {
        let mut transaction = self.begin().await?;
        let before = sqlx::query_as!(
            ModelRow,
            "SELECT model, display_name, bedrock_model, position FROM model_map WHERE model = $1 FOR UPDATE",
            change.name
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(before) = before else { return Ok(None) };
        sqlx::query!(
            "UPDATE model_map SET display_name = $2, bedrock_model = $3 WHERE model = $1",
            change.name,
            change.display_name,
            change.bedrock_model
        )
        .execute(&mut *transaction)
        .await?;
        let after = ModelRow {
            display_name: change.display_name.clone(),
            bedrock_model: change.bedrock_model.clone(),
            ..before.clone()
        };
        told(&mut transaction, actor, "model.change", Some(&before), Some(&after)).await?;
        transaction.commit().await?;
        Ok(Some(after))
    }

    /// Removes a model, and says whether there was one with this name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_model(&self, actor: &Actor, model: &str) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let before = sqlx::query_as!(
            ModelRow,
            "DELETE FROM model_map WHERE model = $1 RETURNING model, display_name, bedrock_model, position",
            model
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(before) = before else { return Ok(false) };
        told(&mut transaction, actor, "model.delete", Some(&before), None).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

async fn told(
    connection: &mut PgConnection,
    actor: &Actor,
    action: &'static str,
    before: Option<&ModelRow>,
    after: Option<&ModelRow>,
) -> Result<(), StoreError> {
    let id = before.or(after).map_or("", |row| &row.model);
    let value = |row: Option<&ModelRow>| row.and_then(|row| serde_json::to_value(row).ok());
    let deed = Deed { action, object_type: "model", object_id: id, before: value(before), after: value(after) };
    audit::write(connection, actor, deed).await?;
    announce(connection, &News::Models).await
}
