//! Notes when access keys were last used.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Database, StoreError};

const TIMEOUT: Duration = Duration::from_secs(5);

impl Database {
    /// Writes the last uses of some keys, each key once, and returns for how many that was news: what is stored is at
    /// the most a minute older than what was given, however many instances write. Rows are locked in sorted order, so
    /// that two instances never wait for each other in a circle.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn keys_used(&self, uses: &[(Uuid, DateTime<Utc>)]) -> Result<u64, StoreError> {
        let (ids, moments): (Vec<Uuid>, Vec<DateTime<Utc>>) = uses.iter().copied().unzip();
        let query = sqlx::query!(
            "WITH news AS (
                 SELECT k.id, u.used_at
                   FROM access_keys k JOIN unnest($1::uuid[], $2::timestamptz[]) AS u (id, used_at) USING (id)
                  WHERE k.last_used_at IS NULL OR k.last_used_at <= u.used_at - interval '1 minute'
                  ORDER BY k.id
                    FOR NO KEY UPDATE OF k
             )
             UPDATE access_keys k SET last_used_at = news.used_at FROM news WHERE k.id = news.id",
            &ids,
            &moments
        )
        .execute(&self.pool);
        let done = tokio::time::timeout(TIMEOUT, query).await.map_err(|_| StoreError::Timeout(TIMEOUT))??;
        Ok(done.rows_affected())
    }
}
