//! Users, as administrators see and change them.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::announce::{News, announce};
use super::audit::{self, Actor, Deed};
use super::idempotency::{Once, answered_before, keep};
use super::{Change, ChangeError, pattern};
use crate::domain::RoutingStrategy;
use crate::store::{Database, StoreError};

/// A user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct UserRow {
    /// `users.id`
    pub id: Uuid,
    /// How people call the user.
    pub name: String,
    /// Whatever helps to know who that is.
    pub description: Option<String>,
    /// `active` or `inactive`.
    pub status: String,
    /// The name of a [`RoutingStrategy`].
    pub routing_strategy: String,
    /// What Bedrock may cost in a month, USD.
    pub monthly_budget_usd: Option<Decimal>,
    /// Access keys that are not revoked.
    pub access_keys: i64,
    /// When the user was made.
    pub created_at: DateTime<Utc>,
    /// When something of the user was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which users a list has.
#[derive(Clone, Default, Debug)]
pub struct UserFilter {
    /// Part of the name or of the description.
    pub search: Option<String>,
    /// `active` or `inactive`.
    pub status: Option<&'static str>,
}

/// A user to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// How people call the user.
    pub name: String,
    /// Whatever helps to know who that is.
    pub description: Option<String>,
    /// How requests are served.
    pub routing_strategy: RoutingStrategy,
    /// What Bedrock may cost in a month, USD.
    pub monthly_budget_usd: Option<Decimal>,
}

/// What is changed of a user; what is `None` stays.
#[derive(Clone, Default, Debug)]
pub struct UserChange {
    /// How people call the user.
    pub name: Option<String>,
    /// Whatever helps to know who that is.
    pub description: Change<String>,
    /// How requests are served.
    pub routing_strategy: Option<RoutingStrategy>,
    /// What Bedrock may cost in a month, USD.
    pub monthly_budget_usd: Change<Decimal>,
}

impl Database {
    /// Users that are not deleted, newest first, those after a sort key only, and how many there are on all pages.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users(
        &self,
        filter: &UserFilter,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<(Vec<UserRow>, i64), StoreError> {
        let search = filter.search.as_deref().map(pattern);
        let (after_time, after_id) = after.unzip();
        let rows = sqlx::query_as!(
            UserRow,
            r#"SELECT id, name, description, status, routing_strategy, monthly_budget_usd, created_at, updated_at,
                      (SELECT count(*) FROM access_keys k WHERE k.user_id = u.id AND k.status <> 'revoked') AS "access_keys!"
                 FROM users u
                WHERE deleted_at IS NULL
                  AND ($1::text IS NULL OR name ILIKE $1 OR description ILIKE $1)
                  AND ($2::text IS NULL OR status = $2)
                  AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))
                ORDER BY created_at DESC, id DESC
                LIMIT $5"#,
            search,
            filter.status,
            after_time,
            after_id,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        let total = sqlx::query_scalar!(
            r#"SELECT count(*) AS "total!" FROM users
                WHERE deleted_at IS NULL
                  AND ($1::text IS NULL OR name ILIKE $1 OR description ILIKE $1)
                  AND ($2::text IS NULL OR status = $2)"#,
            search,
            filter.status
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((rows, total))
    }

    /// A user that is not deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user(&self, id: Uuid) -> Result<Option<UserRow>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, id).await
    }

    /// Makes a user, unless the same request has done so before.
    ///
    /// # Errors
    /// When the name is taken (`users_name_key`), or the database fails.
    pub async fn create_user(&self, actor: &Actor, new: &NewUser, once: Option<&Once>) -> Result<UserRow, ChangeError> {
        let mut transaction = self.begin().await?;
        if let Some(before) = answered_before(&mut transaction, once).await? {
            return Ok(before.into_row());
        }
        let id = sqlx::query_scalar!(
            "INSERT INTO users (name, description, routing_strategy, monthly_budget_usd) VALUES ($1, $2, $3, $4)
             RETURNING id",
            new.name,
            new.description,
            new.routing_strategy.name(),
            new.monthly_budget_usd
        )
        .fetch_one(&mut *transaction)
        .await?;
        let row = read(&mut transaction, id).await?.ok_or(sqlx::Error::RowNotFound)?;
        told(&mut transaction, actor, "user.create", None, &row).await?;
        keep(&mut transaction, once, &row).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Changes a user; `None` when there is none.
    ///
    /// # Errors
    /// When the name is taken (`users_name_key`), or the database fails.
    pub async fn change_user(
        &self,
        actor: &Actor,
        id: Uuid,
        change: &UserChange,
    ) -> Result<Option<UserRow>, ChangeError> {
        let mut transaction = self.begin().await?;
        sqlx::query!("SELECT id FROM users WHERE id = $1 FOR UPDATE", id).fetch_optional(&mut *transaction).await?;
        let Some(before) = read(&mut transaction, id).await? else { return Ok(None) };
        let (describe, description) = change.description.parameters();
        let (limit, budget) = change.monthly_budget_usd.parameters();
        sqlx::query!(
            "UPDATE users
                SET name = coalesce($2, name),
                    description = CASE WHEN $3 THEN $4 ELSE description END,
                    routing_strategy = coalesce($5, routing_strategy),
                    monthly_budget_usd = CASE WHEN $6 THEN $7 ELSE monthly_budget_usd END,
                    updated_at = now()
              WHERE id = $1",
            id,
            change.name,
            describe,
            description,
            change.routing_strategy.map(RoutingStrategy::name),
            limit,
            budget
        )
        .execute(&mut *transaction)
        .await?;
        let Some(after) = read(&mut transaction, id).await? else { return Ok(None) };
        told(&mut transaction, actor, "user.change", Some(&before), &after).await?;
        announce(&mut transaction, &News::User(id)).await?;
        transaction.commit().await?;
        Ok(Some(after))
    }
}

pub(super) async fn read(connection: &mut PgConnection, id: Uuid) -> Result<Option<UserRow>, StoreError> {
    let row = sqlx::query_as!(
        UserRow,
        r#"SELECT id, name, description, status, routing_strategy, monthly_budget_usd, created_at, updated_at,
                  (SELECT count(*) FROM access_keys k WHERE k.user_id = u.id AND k.status <> 'revoked') AS "access_keys!"
             FROM users u WHERE id = $1 AND deleted_at IS NULL"#,
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
    before: Option<&UserRow>,
    after: &UserRow,
) -> Result<(), StoreError> {
    let id = after.id.to_string();
    let before = before.and_then(|row| serde_json::to_value(row).ok());
    let deed = Deed { action, object_type: "user", object_id: &id, before, after: serde_json::to_value(after).ok() };
    audit::write(connection, actor, deed).await
}
