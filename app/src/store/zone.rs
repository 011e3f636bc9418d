//! The time zone in which the sums of usage are cut into buckets: the database's word, because all writers cut alike.

use std::time::Duration;

use sqlx::{PgConnection, PgExecutor};

use super::{Database, StoreError};

/// A wait for writers is part of it; each of them takes a moment.
const TIMEOUT: Duration = Duration::from_secs(30);
/// SQLSTATE of a time zone that the server does not know.
const INVALID_PARAMETER_VALUE: &str = "22023";

/// How the zone of the sums stands to the one that is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ZoneState {
    /// They are the same.
    Agreed,
    /// The sums are those of another zone, and have to be made anew to change that.
    Other(String),
    /// The database's server does not know the zone that is wanted; the sums stay in this one.
    Unknown(String),
}

impl Database {
    /// The zone in which the sums are made.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn usage_zone(&self) -> Result<String, StoreError> {
        let zone = zone_of(&self.pool);
        tokio::time::timeout(TIMEOUT, zone).await.map_err(|_| StoreError::Timeout(TIMEOUT))?
    }

    /// Says how the zone of the sums stands to the one that is wanted. As long as nothing has been summed up, the sums
    /// are made in the zone of whoever asks first.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn settle_zone(&self, wanted: &str) -> Result<ZoneState, StoreError> {
        let settling = self.settle(wanted);
        tokio::time::timeout(TIMEOUT, settling).await.map_err(|_| StoreError::Timeout(TIMEOUT))?
    }

    async fn settle(&self, wanted: &str) -> Result<ZoneState, StoreError> {
        let zone = self.usage_zone().await?;
        if zone == wanted {
            return Ok(ZoneState::Agreed);
        }
        let mut transaction = self.begin().await?;
        if !knows_zone(&mut transaction, wanted).await? {
            return Ok(ZoneState::Unknown(zone));
        }
        if is_used(&mut transaction).await? {
            return Ok(ZoneState::Other(zone));
        }
        hold_zone(&mut transaction).await?;
        // Looked at once more, now that no writer is under way.
        if is_used(&mut transaction).await? {
            return Ok(ZoneState::Other(zone));
        }
        set_zone(&mut transaction, wanted).await?;
        transaction.commit().await?;
        Ok(ZoneState::Agreed)
    }
}

/// The zone in which the sums are made.
pub(super) async fn zone_of(executor: impl PgExecutor<'_>) -> Result<String, StoreError> {
    Ok(sqlx::query_scalar!("SELECT name FROM usage_time_zone").fetch_one(executor).await?)
}

/// Waits for the writers that are under way, and makes others wait until the transaction ends. They queue in order,
/// which row locks would not grant: under those, writers could pass for ever.
pub(super) async fn hold_zone(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query!("LOCK TABLE usage_time_zone IN EXCLUSIVE MODE").execute(connection).await?;
    Ok(())
}

/// Changes the zone; only for who holds it and leaves no sums of another one.
pub(super) async fn set_zone(connection: &mut PgConnection, zone: &str) -> Result<(), StoreError> {
    sqlx::query!("UPDATE usage_time_zone SET name = $1", zone).execute(connection).await?;
    Ok(())
}

/// Whether the server can cut time in this zone. Its transaction is of no use any more where it cannot.
pub(super) async fn knows_zone(connection: &mut PgConnection, zone: &str) -> Result<bool, StoreError> {
    match sqlx::query!("SELECT now() AT TIME ZONE $1 AS wall", zone).fetch_one(connection).await {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(INVALID_PARAMETER_VALUE) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn is_used(connection: &mut PgConnection) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM token_usage) OR EXISTS (SELECT FROM usage_aggregates) AS "used!""#
    );
    Ok(query.fetch_one(connection).await?)
}
