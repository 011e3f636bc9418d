//! PostgreSQL: the only module that speaks SQL. Every statement is checked at compile time against the query cache.

mod issue;
mod limits;
mod principals;
mod usage;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

pub use issue::{IssueError, NewKey};
pub use limits::PlanLimit;

use crate::config::DatabaseConfig;

/// Waiting longer for a connection or an answer than this means that the database is away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// The database, connected to when it is first needed: the service starts and listens while it is away.
#[derive(Clone, Debug)]
pub struct Database {
    pool: PgPool,
}

/// Why the database could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Any failure of the connection or of a statement.
    #[error("the database failed: {0}")]
    Sql(#[from] sqlx::Error),
    /// It did not answer in time.
    #[error("the database did not answer within {0:?}")]
    Timeout(Duration),
}

impl Database {
    /// Prepares the pool; connects to nothing yet.
    ///
    /// # Errors
    /// When the URL cannot be read. The message does not repeat it, for it holds a password.
    pub fn open(config: &DatabaseConfig) -> Result<Self, InvalidDatabaseUrl> {
        let options: PgConnectOptions = config.url.expose().parse().map_err(|_| InvalidDatabaseUrl)?;
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options.application_name("claude-code-proxy"));
        Ok(Self { pool })
    }

    /// Whether the database answers within a second.
    pub async fn is_up(&self) -> bool {
        let ping = sqlx::query!("SELECT 1 AS one").fetch_one(&self.pool);
        matches!(tokio::time::timeout(Duration::from_secs(1), ping).await, Ok(Ok(_)))
    }

    /// Brings the schema to the version of this binary.
    ///
    /// # Errors
    /// When the database is away, a migration fails, or the database is newer than the binary.
    pub async fn migrate(&self) -> Result<usize, sqlx::migrate::MigrateError> {
        let migrator = sqlx::migrate!("../migrations");
        migrator.run(&self.pool).await?;
        Ok(migrator.iter().count())
    }

    /// Closes all connections and waits for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// `DATABASE_URL` cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "DATABASE_URL cannot be read as postgres://user:password@host:5432/database (special characters percent-encoded)"
)]
pub struct InvalidDatabaseUrl;
