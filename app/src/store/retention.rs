//! Removes the sums by the minute that nobody looks at any more.

use std::time::Duration;

use sqlx::PgConnection;

use super::{Database, StoreError};

const TIMEOUT: Duration = Duration::from_secs(30);
/// The advisory lock of whoever removes sums or corrects them: one at a time, in all instances.
const CARETAKER: i64 = 0x6363_705f_7375_6d73;

impl Database {
    /// Removes at most so many sums by the minute that are older than that, and says how many it were; `None` while
    /// somebody else removes or corrects sums. Rows that are being written are left for the next time.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn delete_old_minutes(&self, kept: Duration, at_most: u32) -> Result<Option<u64>, StoreError> {
        let deleting = async {
            let mut transaction = self.begin().await?;
            let query = sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "held!""#, CARETAKER);
            if !query.fetch_one(&mut *transaction).await? {
                return Ok(None);
            }
            let deleted = sqlx::query!(
                // An array, because for IN all sums may be read to find these.
                "DELETE FROM usage_aggregates WHERE id = ANY (ARRAY(
                     SELECT id FROM usage_aggregates
                      WHERE bucket_type = 'minute' AND bucket_start < statement_timestamp() - make_interval(secs => $1)
                      ORDER BY bucket_start LIMIT $2 FOR UPDATE SKIP LOCKED))",
                kept.as_secs_f64(),
                i64::from(at_most)
            )
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(Some(deleted.rows_affected()))
        };
        tokio::time::timeout(TIMEOUT, deleting).await.map_err(|_| StoreError::Timeout(TIMEOUT))?
    }
}

/// Waits until nobody else removes or corrects sums, until the transaction ends.
pub(super) async fn become_caretaker(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1)", CARETAKER).execute(connection).await?;
    Ok(())
}
