//! Limits of plans that one task was told and the others want to know.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{CHANNEL, Database, Known, News, StoreError};
use crate::domain::{CircuitId, Family, KeyHash};

const TIMEOUT: Duration = Duration::from_secs(5);

/// The plan serves nothing to a credential until then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlanLimit {
    /// Hash of the credential.
    pub credential: KeyHash,
    /// The family of models that it is about.
    pub family: Family,
    /// The reset that the plan has named.
    pub closed_until: DateTime<Utc>,
}

impl Database {
    /// Tells the other tasks of a limit. A later reset that is known already stays.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn share_limit(&self, limit: PlanLimit) -> Result<(), StoreError> {
        let query = sqlx::query!(
            "INSERT INTO plan_limits AS l (credential_hash, family, closed_until) VALUES ($1, $2, $3)
             ON CONFLICT ON CONSTRAINT plan_limits_pkey DO UPDATE
                SET closed_until = greatest(l.closed_until, excluded.closed_until), updated_at = clock_timestamp()",
            limit.credential.to_hex(),
            limit.family.name(),
            limit.closed_until
        )
        .execute(&self.pool);
        tokio::time::timeout(TIMEOUT, query).await.map_err(|_| StoreError::Timeout(TIMEOUT))??;
        Ok(())
    }

    /// Removes a limit that has turned out to be over before its time, and has all tasks told.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn lift_limit(&self, credential: KeyHash, family: Family, id: &CircuitId) -> Result<(), StoreError> {
        let query = sqlx::query!(
            "WITH lifted AS (
                 DELETE FROM plan_limits WHERE credential_hash = $1 AND family = $2 AND closed_until > now() RETURNING 1
             )
             SELECT pg_notify($3, $4) AS sent FROM lifted",
            credential.to_hex(),
            family.name(),
            CHANNEL,
            News::Circuit(id.clone()).text()
        )
        .fetch_all(&self.pool);
        tokio::time::timeout(TIMEOUT, query).await.map_err(|_| StoreError::Timeout(TIMEOUT))??;
        Ok(())
    }

    /// The limits that still hold and were told after a moment of the database's clock, oldest first.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn limits_after(&self, after: DateTime<Utc>) -> Result<Vec<Known<PlanLimit>>, StoreError> {
        let query = sqlx::query!(
            "SELECT credential_hash, family, closed_until, updated_at FROM plan_limits
              WHERE updated_at > $1 AND closed_until > now() ORDER BY updated_at",
            after
        )
        .fetch_all(&self.pool);
        let rows = tokio::time::timeout(TIMEOUT, query).await.map_err(|_| StoreError::Timeout(TIMEOUT))??;
        let limits = rows.into_iter().filter_map(|row| {
            let credential = KeyHash::from_hex(&row.credential_hash)?;
            let limit = PlanLimit { credential, family: Family::parse(&row.family), closed_until: row.closed_until };
            Some(Known { what: limit, told_at: row.updated_at })
        });
        Ok(limits.collect())
    }

    /// Removes limits that are over for a day.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn forget_old_limits(&self) -> Result<u64, StoreError> {
        let query =
            sqlx::query!("DELETE FROM plan_limits WHERE closed_until < now() - interval '1 day'").execute(&self.pool);
        let done = tokio::time::timeout(TIMEOUT, query).await.map_err(|_| StoreError::Timeout(TIMEOUT))??;
        Ok(done.rows_affected())
    }
}
