//! Reads the map of models.

use std::time::Duration;

use super::{Database, StoreError};
use crate::domain::MappedModel;

const TIMEOUT: Duration = Duration::from_secs(3);

impl Database {
    /// The models that are mapped, newest first; a thousand at the most.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn models(&self) -> Result<Vec<MappedModel>, StoreError> {
        let query = sqlx::query_as!(
            MappedModel,
            "SELECT model AS name, display_name, bedrock_model FROM model_map ORDER BY position DESC LIMIT 1000"
        )
        .fetch_all(&self.pool);
        Ok(tokio::time::timeout(TIMEOUT, query).await.map_err(|_| StoreError::Timeout(TIMEOUT))??)
    }
}
