//! The rows of usage that a client's requests have left.

use sqlx::FromRow;
use support::TestDatabase;
use uuid::Uuid;

/// A row of `token_usage`, without what differs from run to run.
#[derive(Debug, FromRow, PartialEq)]
pub(crate) struct Row {
    pub(crate) user_id: Uuid,
    pub(crate) access_key_id: Uuid,
    pub(crate) model: String,
    pub(crate) upstream_model: String,
    pub(crate) upstream_message_id: Option<String>,
    pub(crate) input_tokens: i32,
    pub(crate) output_tokens: i32,
    pub(crate) cache_read_input_tokens: i32,
    pub(crate) cache_creation_5m_tokens: i32,
    pub(crate) cache_creation_1h_tokens: i32,
    pub(crate) total_tokens: i32,
    pub(crate) is_fallback: bool,
    pub(crate) outcome: String,
    pub(crate) session_id: Option<String>,
}

/// All rows, oldest first.
pub(crate) async fn rows(database: &TestDatabase) -> Vec<Row> {
    sqlx::query_as("SELECT * FROM token_usage ORDER BY timestamp").fetch_all(&database.pool).await.unwrap()
}
