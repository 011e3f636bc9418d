//! What models on Bedrock refuse: learnt by one task, and known to the others.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Database, Known, StoreError};
use crate::domain::{BedrockTarget, Dialect, LearnedRefusal, Refusal, RefusalKind};

const TIMEOUT: Duration = Duration::from_secs(5);

impl Database {
    /// Tells the other tasks of a refusal by one of Bedrock's interfaces.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn share_refusal(&self, dialect: Dialect, learned: &LearnedRefusal) -> Result<(), StoreError> {
        let LearnedRefusal { target, refusal, expires_at } = learned;
        let query = sqlx::query!(
            "INSERT INTO learned_capabilities AS l (dialect, region, model, kind, name, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT ON CONSTRAINT learned_capabilities_pkey DO UPDATE
                SET expires_at = greatest(l.expires_at, excluded.expires_at), learned_at = clock_timestamp()",
            dialect.name(),
            target.region,
            target.model,
            refusal.kind.name(),
            refusal.name,
            expires_at
        )
        .execute(&self.pool);
        tokio::time::timeout(TIMEOUT, query).await.map_err(|_| StoreError::Timeout(TIMEOUT))??;
        Ok(())
    }

    /// The refusals that still hold and were told after a moment of the database's clock, oldest first. A kind that
    /// only a newer version knows is passed over.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn refusals_after(
        &self,
        dialect: Dialect,
        after: DateTime<Utc>,
    ) -> Result<Vec<Known<LearnedRefusal>>, StoreError> {
        let query = sqlx::query!(
            "SELECT region, model, kind, name, learned_at, expires_at FROM learned_capabilities
              WHERE learned_at > $1 AND expires_at > now() AND dialect = $2 ORDER BY learned_at",
            after,
            dialect.name()
        )
        .fetch_all(&self.pool);
        let rows = tokio::time::timeout(TIMEOUT, query).await.map_err(|_| StoreError::Timeout(TIMEOUT))??;
        let known = rows.into_iter().filter_map(|row| {
            let refusal = Refusal { kind: RefusalKind::parse(&row.kind)?, name: row.name };
            let target = BedrockTarget { region: row.region, model: row.model };
            let what = LearnedRefusal { target, refusal, expires_at: row.expires_at };
            Some(Known { what, told_at: row.learned_at })
        });
        Ok(known.collect())
    }

    /// Removes refusals that are over.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn forget_old_refusals(&self) -> Result<u64, StoreError> {
        let query = sqlx::query!("DELETE FROM learned_capabilities WHERE expires_at < now()").execute(&self.pool);
        let done = tokio::time::timeout(TIMEOUT, query).await.map_err(|_| StoreError::Timeout(TIMEOUT))??;
        Ok(done.rows_affected())
    }
}
