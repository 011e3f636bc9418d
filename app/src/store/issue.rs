//! Creates a user and an access key, with its Bedrock key, in one transaction.

use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Database, SealedBedrockKey, StoreError};
use crate::domain::{Family, KeyHash, RoutingStrategy};

/// What is stored of a new access key.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Made by the caller, because the vault binds the Bedrock key to it.
    pub id: Uuid,
    /// Name of the user, who is made unless there is one.
    pub user: String,
    /// How the user's requests are to be served; `None` leaves that as it is.
    pub routing_strategy: Option<RoutingStrategy>,
    /// What Bedrock may cost for the user in a month, USD; `None` leaves that as it is.
    pub monthly_budget_usd: Option<Decimal>,
    /// Hash of the key.
    pub hash: KeyHash,
    /// What may be shown of it.
    pub prefix: String,
    /// AWS region of its Bedrock calls.
    pub region: String,
    /// Its Bedrock model.
    pub model: String,
    /// Its Bedrock models for whole families of requested models, each family once.
    pub family_models: Vec<(Family, String)>,
    /// Its Bedrock key.
    pub bedrock_key: Option<SealedBedrockKey>,
}

/// Why a key was not issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The user may not have keys.
    #[error("the user {0:?} is deactivated; reactivate the user, or take another name")]
    Inactive(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for IssueError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Database {
    /// Stores the key and returns the id of its user, who is created unless there is one of that name.
    ///
    /// # Errors
    /// When the user is deactivated, or the database fails; nothing is stored then.
    pub async fn issue(&self, key: &NewKey) -> Result<Uuid, IssueError> {
        let mut transaction = self.begin().await?;
        // Two commands at the same moment must not both create the user.
        sqlx::query!("SELECT pg_advisory_xact_lock(hashtext('users.name')) AS locked")
            .fetch_one(&mut *transaction)
            .await?;
        let user = sqlx::query!("SELECT id, status FROM users WHERE name = $1 AND deleted_at IS NULL", key.user)
            .fetch_optional(&mut *transaction)
            .await?;
        let user_id = match user {
            None => {
                sqlx::query_scalar!("INSERT INTO users (name) VALUES ($1) RETURNING id", key.user)
                    .fetch_one(&mut *transaction)
                    .await?
            }
            Some(user) if user.status == "active" => user.id,
            Some(_) => return Err(IssueError::Inactive(key.user.clone())),
        };
        if let Some(strategy) = key.routing_strategy {
            let name = strategy.name();
            sqlx::query!("UPDATE users SET routing_strategy = $2, updated_at = now() WHERE id = $1", user_id, name)
                .execute(&mut *transaction)
                .await?;
        }
        if let Some(budget) = key.monthly_budget_usd {
            sqlx::query!("UPDATE users SET monthly_budget_usd = $2, updated_at = now() WHERE id = $1", user_id, budget)
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query!(
            "INSERT INTO access_keys (id, user_id, key_hash, key_prefix, bedrock_region, bedrock_model)
             VALUES ($1, $2, $3, $4, $5, $6)",
            key.id,
            user_id,
            key.hash.to_hex(),
            key.prefix,
            key.region,
            key.model
        )
        .execute(&mut *transaction)
        .await?;
        for (family, model) in &key.family_models {
            sqlx::query!(
                "INSERT INTO access_key_models (access_key_id, family, bedrock_model) VALUES ($1, $2, $3)",
                key.id,
                family.name(),
                model
            )
            .execute(&mut *transaction)
            .await?;
        }
        if let Some(bedrock) = &key.bedrock_key {
            sqlx::query!(
                "INSERT INTO bedrock_keys (access_key_id, encrypted_key, key_hash, kind, expires_at)
                 VALUES ($1, $2, $3, $4, $5)",
                key.id,
                bedrock.sealed,
                bedrock.hash.to_hex(),
                bedrock.kind.name(),
                bedrock.expires_at
            )
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(user_id)
    }
}
