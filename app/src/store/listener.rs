//! Hears what other instances, or this one, have changed: `LISTEN`, on a connection of its own.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};

use super::{ACQUIRE_TIMEOUT, CHANNEL, Database, News, StoreError};

/// A connection on which nothing was heard for so long is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(15);

/// A connection on which changes are heard.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Database {
    /// Begins to hear. What is changed from the end of this call on is told, for as long as the listener does not fail.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn listen(&self) -> Result<Listener, StoreError> {
        // A pool of one: with the large one, all connections could be taken by those who listen.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with((*self.pool.connect_options()).clone());
        let listening = async {
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.ignore_pool_close_event(true);
            // Who connects anew has to know that something may have been missed.
            listener.eager_reconnect(false);
            listener.listen(CHANNEL).await?;
            Ok(Listener(listener))
        };
        tokio::time::timeout(ACQUIRE_TIMEOUT, listening).await.map_err(|_| StoreError::Timeout(ACQUIRE_TIMEOUT))?
    }
}

impl Listener {
    /// Waits for the next change; `None` for one that only a newer version knows.
    ///
    /// # Errors
    /// When the connection is lost or silent: changes may be missed from then on, and a new listener is needed.
    pub async fn next(&mut self) -> Result<Option<News>, StoreError> {
        loop {
            match tokio::time::timeout(SILENCE, self.0.try_recv()).await {
                Ok(Ok(Some(notification))) => return Ok(News::parse(notification.payload())),
                Ok(Ok(None)) => return Err(sqlx::Error::PoolClosed.into()),
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => self.is_there().await?,
            }
        }
    }

    async fn is_there(&mut self) -> Result<(), StoreError> {
        let asked = sqlx::query!("SELECT true AS there").fetch_one(&mut self.0);
        tokio::time::timeout(ACQUIRE_TIMEOUT, asked).await.map_err(|_| StoreError::Timeout(ACQUIRE_TIMEOUT))??;
        Ok(())
    }
}
