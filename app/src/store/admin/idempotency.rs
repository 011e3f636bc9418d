//! Answers that are given again, when a request with an `Idempotency-Key` comes again.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;

use super::{ChangeError, Obstacle};
use crate::domain::KeyHash;

/// A request that may come again.
#[derive(Clone, Debug)]
pub struct Once {
    /// Its `Idempotency-Key`.
    pub key: String,
    /// Hash of everything that has to be the same then.
    pub request: KeyHash,
    /// The new access key that is in the answer, sealed.
    pub sealed_key: Option<Vec<u8>>,
}

/// What a request has made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Made<T> {
    /// This.
    Now(T),
    /// Nothing, because it had come before and made this.
    Before {
        /// As it was then.
        row: T,
        /// The access key that was in the answer.
        sealed_key: Option<Vec<u8>>,
    },
}

impl<T> Made<T> {
    /// What was made, whenever.
    pub fn into_row(self) -> T {
        match self {
            Self::Now(row) | Self::Before { row, .. } => row,
        }
    }
}

/// What the request was answered when it came before. If it was not, no other request with the same key gets any further
/// until the transaction ends; the caller has to [`keep`] what it makes.
pub(super) async fn answered_before<T: DeserializeOwned>(
    connection: &mut PgConnection,
    once: Option<&Once>,
) -> Result<Option<Made<T>>, ChangeError> {
    let Some(once) = once else { return Ok(None) };
    let request = once.request.to_hex();
    sqlx::query!("DELETE FROM idempotency_keys WHERE key = $1 AND created_at < now() - interval '24 hours'", once.key)
        .execute(&mut *connection)
        .await?;
    // Waits for another transaction with the same key.
    let inserted = sqlx::query!(
        "INSERT INTO idempotency_keys (key, request) VALUES ($1, $2)
         ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO NOTHING",
        once.key,
        request
    )
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok(None);
    }
    let before = sqlx::query!("SELECT request, answer, sealed_key FROM idempotency_keys WHERE key = $1", once.key)
        .fetch_one(connection)
        .await?;
    if before.request != request {
        return Err(Obstacle::IdempotencyKeyReused.into());
    }
    let row = serde_json::from_value(before.answer.unwrap_or_default())
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Some(Made::Before { row, sealed_key: before.sealed_key }))
}

/// Keeps what the request has made.
pub(super) async fn keep<T: Serialize + Sync>(
    connection: &mut PgConnection,
    once: Option<&Once>,
    made: &T,
) -> Result<(), sqlx::Error> {
    let Some(once) = once else { return Ok(()) };
    let answer = serde_json::to_value(made).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    sqlx::query!(
        "UPDATE idempotency_keys SET answer = $2, sealed_key = $3 WHERE key = $1",
        once.key,
        answer,
        once.sealed_key
    )
    .execute(connection)
    .await?;
    Ok(())
}
