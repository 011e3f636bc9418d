//! Logins: their rows in the audit log, and the tokens that were given back.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::audit::{self, Actor, Deed};
use crate::store::{Database, StoreError};

impl Database {
    /// Writes down that an administrator has logged in, and forgets tokens that are over anyway.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn logged_in(&self, actor: &Actor, token: Uuid, expires_at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query!("DELETE FROM revoked_tokens WHERE expires_at < now()").execute(&mut *transaction).await?;
        let id = token.to_string();
        let deed = Deed {
            action: "session.create",
            object_type: "session",
            object_id: &id,
            before: None,
            after: Some(json!({ "expires_at": expires_at })),
        };
        audit::write(&mut transaction, actor, deed).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes a token back.
    ///
    /// # Errors
    /// When the database fails; the token works on then.
    pub async fn revoke_token(&self, actor: &Actor, token: Uuid, expires_at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query!(
            "INSERT INTO revoked_tokens (id, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            token,
            expires_at
        )
        .execute(&mut *transaction)
        .await?;
        let id = token.to_string();
        let deed = Deed { action: "session.delete", object_type: "session", object_id: &id, before: None, after: None };
        audit::write(&mut transaction, actor, deed).await?;
        Ok(transaction.commit().await?)
    }

    /// Whether a token was given back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn token_is_revoked(&self, token: Uuid) -> Result<bool, StoreError> {
        let found = sqlx::query_scalar!("SELECT true FROM revoked_tokens WHERE id = $1", token)
            .fetch_optional(&self.pool)
            .await?;
        Ok(found.is_some())
    }
}
