//! PostgreSQL: the only module that speaks SQL. Every statement is checked at compile time against the query cache.

mod admin;
mod budgets;
mod capabilities;
mod followed;
mod issue;
mod last_used;
mod limits;
mod listener;
mod models;
mod prices;
mod principals;
mod retention;
mod sealed_keys;
mod usage;
mod verification;
mod zone;

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Postgres, Transaction};

pub use admin::{
    AccessKeyChange, AccessKeyRow, Actor, BedrockKeyRow, CHANNEL, CapabilityFilter, CapabilityRow, Change, ChangeError,
    DeedFilter, DeedRow, Made, ModelRow, NewAccessKey, NewPrice, NewUser, News, Obstacle, Once, PriceKey, PriceRow,
    RequestRow, Resealed, Rotated, Rotation, SealedBedrockKey, UserChange, UserFilter, UserRow,
};
pub use admin::{
    Buckets, CostRow, REPORT_TIMEOUT, ReportClock, ReportEnd, TopOrder, TopUser, UsageFilter, UsageGrouping,
    UsageListFilter, UsagePoint, UsageReader, UsageRow, UsageRowKey, UsageSource, UsageSums,
};
pub use budgets::{Month, Spend};
pub use followed::{FollowTask, Followed, Look};
pub use issue::{IssueError, NewKey};
pub use limits::PlanLimit;
pub use listener::Listener;
pub use sealed_keys::SealedRow;
pub use verification::{Difference, Found, Verification};
pub use zone::ZoneState;

use crate::config::DatabaseConfig;
use crate::domain::Secret;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");
const STATE_TIMEOUT: Duration = Duration::from_secs(2);
/// SQLSTATE of a statement about a table that does not exist.
const UNDEFINED_TABLE: &str = "42P01";
/// What the SQLSTATEs of values that cannot be begin with.
const DATA_EXCEPTION: &str = "22";

/// Waiting longer for a connection or an answer than this means that the database is away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the end waits for connections that are in use.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The database, connected to when it is first needed: the service starts and listens while it is away.
#[derive(Clone, Debug)]
pub struct Database {
    pool: PgPool,
}

/// Something that one task has told the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known<T> {
    /// What was told.
    pub what: T,
    /// When it was last told, by the database's clock.
    pub told_at: DateTime<Utc>,
}

/// How the database is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DatabaseState {
    /// It answers and has the schema that this binary needs.
    Ready,
    /// It answers, and `migrate` has not been run for this binary.
    NotMigrated,
    /// It does not answer.
    Away,
}

/// The database cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to {what}. {remedy}")]
pub struct Unreachable {
    what: String,
    remedy: &'static str,
}

const NO_CONNECTION: &str = "Is DATABASE_URL right, does the server run, and has the database been created?";
const NO_TRUST: &str = "Does the server's certificate name this host, and is who signed it in DATABASE_CA_FILE (with SECRETS_PREFIX), \
                        in the file that sslrootcert in DATABASE_URL names, or known to the system?";

/// Why the database could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Any failure of the connection or of a statement.
    #[error("the database failed: {}", plain(.0))]
    Sql(sqlx::Error),
    /// A migration failed.
    #[error("{0}")]
    Migration(sqlx::migrate::MigrateError),
    /// It did not answer in time.
    #[error("the database did not answer within {0:?}")]
    Timeout(Duration),
}

impl StoreError {
    /// Whether a later version has migrated the database, so that there is nothing for this one to do.
    pub fn is_about_a_newer_schema(&self) -> bool {
        matches!(self, Self::Migration(sqlx::migrate::MigrateError::VersionMissing(_)))
    }

    /// Whether the database works, and a value that it was given cannot be: a text with a NUL character, a date beyond its
    /// calendar.
    pub fn is_about_a_value(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        matches!(error, sqlx::Error::Encode(_)) || code.is_some_and(|code| code.starts_with(DATA_EXCEPTION))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) => Self::Sql(error),
            other => Self::Migration(other),
        }
    }
}

/// The words of an error without the parts that only mean something inside of the server.
fn plain(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    }
}

/// Whether the server has shown a certificate that is not taken.
fn is_about_trust(error: &sqlx::Error) -> bool {
    let sqlx::Error::Io(error) = error else { return false };
    let of_tls = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    matches!(of_tls, Some(rustls::Error::InvalidCertificate(_)))
}

fn newest_migration() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
}

fn connect_options(url: &Secret) -> Result<PgConnectOptions, InvalidDatabaseUrl> {
    let options: PgConnectOptions = url.expose().parse().map_err(|_| InvalidDatabaseUrl)?;
    Ok(options.application_name("claude-code-proxy"))
}

impl Database {
    /// Prepares the pool; connects to nothing yet.
    ///
    /// # Errors
    /// When the URL cannot be read. The message does not repeat it, for it holds a password.
    pub fn open(config: &DatabaseConfig) -> Result<Self, InvalidDatabaseUrl> {
        Self::opened(config, PgPoolOptions::new())
    }

    /// The same for statements that name no time of their own: the server ends each after so long, whatever it waits for.
    ///
    /// # Errors
    /// As above.
    pub fn open_with_timeout(config: &DatabaseConfig, timeout: Duration) -> Result<Self, InvalidDatabaseUrl> {
        let milliseconds = timeout.as_millis();
        // Not as an option of the connection: proxies in front of PostgreSQL refuse those.
        let options = PgPoolOptions::new().after_connect(move |connection, _| {
            Box::pin(async move {
                let set =
                    sqlx::query("SELECT set_config('statement_timeout', $1, FALSE)").bind(milliseconds.to_string());
                set.execute(connection).await.map(drop)
            })
        });
        Self::opened(config, options)
    }

    fn opened(config: &DatabaseConfig, pool: PgPoolOptions) -> Result<Self, InvalidDatabaseUrl> {
        let options = connect_options(&config.url)?;
        let pool =
            pool.max_connections(config.max_connections).acquire_timeout(ACQUIRE_TIMEOUT).connect_lazy_with(options);
        Ok(Self { pool })
    }

    /// Opens new connections with this login from now on. Connections that are there stay until they end.
    ///
    /// # Errors
    /// When it is no URL of a database.
    pub fn log_in_with(&self, url: &Secret) -> Result<(), InvalidDatabaseUrl> {
        self.pool.set_connect_options(connect_options(url)?);
        Ok(())
    }

    /// Whether a new connection is refused for its login. A database that is away does not say so.
    pub async fn refuses_login(&self) -> bool {
        let options = self.pool.connect_options();
        match tokio::time::timeout(STATE_TIMEOUT, PgConnection::connect_with(&options)).await {
            Ok(Ok(connection)) => {
                // Whatever the end says, the login was taken.
                let _ = connection.close().await;
                false
            }
            Ok(Err(sqlx::Error::Database(error))) => error.code().is_some_and(|code| code.starts_with("28")),
            _ => false,
        }
    }

    /// Begins a transaction.
    async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.begin_with("BEGIN").await
    }

    /// Begins a transaction with this statement. A task of its own waits for it: of a caller that is dropped while the
    /// statement is on its way, the pool would get back a connection that is in a transaction without knowing it.
    async fn begin_with(&self, statement: &'static str) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with(statement).await });
        begun.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
    }

    /// How the database is, found out within a second or two.
    pub async fn state(&self) -> DatabaseState {
        // Not checked at compile time: the table belongs to the migrator, which makes it with the first migration.
        let query =
            sqlx::query_scalar::<_, i64>("SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success");
        match tokio::time::timeout(STATE_TIMEOUT, query.fetch_one(&self.pool)).await {
            Ok(Ok(version)) if version >= newest_migration() => DatabaseState::Ready,
            Ok(Ok(_)) => DatabaseState::NotMigrated,
            Ok(Err(sqlx::Error::Database(error))) if error.code().as_deref() == Some(UNDEFINED_TABLE) => {
                DatabaseState::NotMigrated
            }
            Ok(Err(_)) | Err(_) => DatabaseState::Away,
        }
    }

    /// Connects once and says in plain words why that does not work; for roles that are of no use without a database.
    ///
    /// # Errors
    /// A sentence that names host, port, database and user, and never the password.
    pub async fn reach(&self) -> Result<(), Unreachable> {
        let options = self.pool.connect_options();
        let connected = tokio::time::timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(&options)).await;
        let (what, remedy) = match connected {
            Ok(Ok(connection)) => {
                // It has served its purpose; how its closing goes does not matter.
                let _ = connection.close().await;
                return Ok(());
            }
            Ok(Err(error)) => (plain(&error), if is_about_trust(&error) { NO_TRUST } else { NO_CONNECTION }),
            Err(_) => (format!("no answer within {}", humantime::format_duration(ACQUIRE_TIMEOUT)), NO_CONNECTION),
        };
        let (host, port, user) = (options.get_host(), options.get_port(), options.get_username());
        let database = options.get_database().unwrap_or("the default database");
        Err(Unreachable { what: format!("{database} on {host}:{port} as user {user}: {what}"), remedy })
    }

    /// Brings the schema to the version of this binary, and returns how many migrations that took.
    ///
    /// # Errors
    /// When the database is away, a migration fails, or the database is newer than the binary.
    pub async fn migrate(&self) -> Result<usize, StoreError> {
        let before = self.applied().await;
        MIGRATOR.run(&self.pool).await?;
        Ok(self.applied().await.saturating_sub(before))
    }

    async fn applied(&self) -> usize {
        let query = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM _sqlx_migrations WHERE success");
        // Before the first migration there is no such table, and nothing has been applied.
        query.fetch_one(&self.pool).await.map_or(0, |count| usize::try_from(count).unwrap_or(0))
    }

    /// Closes all connections and waits for those in use, but not for ever: one that was let go of in the middle of a
    /// statement is in use until the server has answered.
    pub async fn close(&self) {
        // An error says that the time is over; the end of the process closes the rest.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.pool.close()).await;
    }
}

/// `DATABASE_URL` cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "DATABASE_URL cannot be read as postgres://user:password@host:5432/database (special characters percent-encoded)"
)]
pub struct InvalidDatabaseUrl;
