//! Bedrock keys as the vault has sealed them, for whoever seals them anew.

use uuid::Uuid;

use super::{Database, StoreError};

/// A sealed Bedrock key.
#[derive(Clone, Debug)]
pub struct SealedRow {
    /// Whose it is.
    pub access_key_id: Uuid,
    /// As the vault has sealed it.
    pub sealed: Vec<u8>,
}

impl Database {
    /// So many sealed keys at the most, by the id of their access key, from the one after `after` on.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn sealed_keys(&self, after: Option<Uuid>, at_most: u32) -> Result<Vec<SealedRow>, StoreError> {
        let query = sqlx::query_as!(
            SealedRow,
            "SELECT access_key_id, encrypted_key AS sealed FROM bedrock_keys
              WHERE access_key_id > $1 ORDER BY access_key_id LIMIT $2",
            after.unwrap_or(Uuid::nil()),
            i64::from(at_most)
        );
        Ok(query.fetch_all(&self.pool).await?)
    }

    /// Puts another sealed form of the same key in the place of this one; `false` when another key is there by now.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn replace_sealed_key(&self, row: &SealedRow, sealed: &[u8]) -> Result<bool, StoreError> {
        let replaced = sqlx::query!(
            "UPDATE bedrock_keys SET encrypted_key = $3 WHERE access_key_id = $1 AND encrypted_key = $2",
            row.access_key_id,
            row.sealed,
            sealed
        );
        Ok(replaced.execute(&self.pool).await?.rows_affected() == 1)
    }
}
