//! What ends by itself: grace periods of rotated keys, and answers that are given again.

use std::time::Duration;

use uuid::Uuid;

use super::announce::CHANNEL;
use super::audit::Actor;
use crate::store::{Database, StoreError};

const TIMEOUT: Duration = Duration::from_secs(10);

impl Database {
    /// Revokes at most so many access keys whose grace period is over, removes their Bedrock keys, and says which they
    /// were. Those that somebody else changes at the moment are left for the next time.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn end_rotations(&self, actor: &Actor, at_most: u32) -> Result<Vec<Uuid>, StoreError> {
        let query = sqlx::query!(
            r#"WITH ended AS (
                   UPDATE access_keys SET status = 'revoked', revoked_at = now()
                    WHERE id IN (SELECT id FROM access_keys
                                  WHERE status = 'rotating' AND rotation_expires_at <= now()
                                  ORDER BY rotation_expires_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)
                   RETURNING id, user_id, key_prefix, status, rotation_expires_at, revoked_at
               ), gone AS (
                   DELETE FROM bedrock_keys WHERE access_key_id IN (SELECT id FROM ended)
                   RETURNING access_key_id, kind, expires_at, created_at, rotated_at, last_checked_at
               ), deeds AS (
                   INSERT INTO audit_log (request_id, actor, address, action, object_type, object_id, before, after)
                   SELECT $2::uuid, $3::text, $4::text, 'access_key.revoke', 'access_key', id::text, NULL, to_jsonb(ended)
                     FROM ended
                   UNION ALL
                   SELECT $2, $3, $4, 'bedrock_key.delete', 'bedrock_key', access_key_id::text, to_jsonb(gone), NULL
                     FROM gone
               )
               SELECT id, pg_notify($5, 'access_key ' || id)::text AS told FROM ended"#,
            i64::from(at_most),
            actor.request_id,
            actor.name,
            actor.address.to_string(),
            CHANNEL
        )
        .fetch_all(&self.pool);
        let rows = tokio::time::timeout(TIMEOUT, query).await.map_err(|_| StoreError::Timeout(TIMEOUT))??;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// Forgets at most so many answers that are older than a day.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn forget_answers(&self, at_most: u32) -> Result<u64, StoreError> {
        let query = sqlx::query!(
            "DELETE FROM idempotency_keys WHERE key IN (
                 SELECT key FROM idempotency_keys WHERE created_at < now() - interval '24 hours'
                  ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)",
            i64::from(at_most)
        )
        .execute(&self.pool);
        let done = tokio::time::timeout(TIMEOUT, query).await.map_err(|_| StoreError::Timeout(TIMEOUT))??;
        Ok(done.rows_affected())
    }
}
