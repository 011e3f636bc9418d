//! Reads the audit log.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::store::{Database, StoreError};

/// Something that was done.
#[derive(Clone, PartialEq, Debug)]
pub struct DeedRow {
    /// Its place in the log.
    pub id: i64,
    /// When.
    pub happened_at: DateTime<Utc>,
    /// By which request.
    pub request_id: Uuid,
    /// By whom.
    pub actor: String,
    /// From where.
    pub address: String,
    /// What, such as `user.create`.
    pub action: String,
    /// To what kind of thing.
    pub object_type: String,
    /// To which.
    pub object_id: String,
    /// What it was.
    pub before: Option<Value>,
    /// What it became.
    pub after: Option<Value>,
}

/// Which part of the log a list has.
#[derive(Clone, Default, Debug)]
pub struct DeedFilter {
    /// What was done to things of this kind.
    pub object_type: Option<String>,
    /// What was done to the thing with this id.
    pub object_id: Option<String>,
    /// What this administrator did.
    pub actor: Option<String>,
    /// Deeds of this kind.
    pub action: Option<String>,
    /// What was done then or later.
    pub from: Option<DateTime<Utc>>,
    /// What was done before.
    pub to: Option<DateTime<Utc>>,
}

impl Database {
    /// What was done, the latest first, before a place in the log only, and how much of it there is on all pages.
    ///
    /// # Errors
    /// When the database fails, or takes longer than ten seconds.
    pub async fn deed_rows(
        &self,
        filter: &DeedFilter,
        before: Option<i64>,
        limit: i64,
    ) -> Result<(Vec<DeedRow>, i64), StoreError> {
        let mut transaction = self.begin().await?;
        // The log is kept for ever, and not every filter has an index.
        sqlx::query!("SET LOCAL statement_timeout = '10s'").execute(&mut *transaction).await?;
        let rows = sqlx::query_as!(
            DeedRow,
            "SELECT id, happened_at, request_id, actor, address, action, object_type, object_id, before, after
               FROM audit_log
              WHERE ($1::text IS NULL OR object_type = $1)
                AND ($2::text IS NULL OR object_id = $2)
                AND ($3::text IS NULL OR actor = $3)
                AND ($4::text IS NULL OR action = $4)
                AND ($5::timestamptz IS NULL OR happened_at >= $5)
                AND ($6::timestamptz IS NULL OR happened_at < $6)
                AND ($7::bigint IS NULL OR id < $7)
              ORDER BY id DESC
              LIMIT $8",
            filter.object_type,
            filter.object_id,
            filter.actor,
            filter.action,
            filter.from,
            filter.to,
            before,
            limit
        )
        .fetch_all(&mut *transaction)
        .await?;
        let total = sqlx::query_scalar!(
            r#"SELECT count(*) AS "total!" FROM audit_log
                WHERE ($1::text IS NULL OR object_type = $1)
                  AND ($2::text IS NULL OR object_id = $2)
                  AND ($3::text IS NULL OR actor = $3)
                  AND ($4::text IS NULL OR action = $4)
                  AND ($5::timestamptz IS NULL OR happened_at >= $5)
                  AND ($6::timestamptz IS NULL OR happened_at < $6)"#,
            filter.object_type,
            filter.object_id,
            filter.actor,
            filter.action,
            filter.from,
            filter.to
        )
        .fetch_one(&mut *transaction)
        .await?;
        Ok((rows, total))
    }
}
