//! A database of its own with a year of usage, with the sums of it, and with what administrators keep.

mod statements;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Instant;

use anyhow::{Context as _, Result};
use claude_code_proxy::config::DatabaseConfig;
use claude_code_proxy::domain::Secret;
use claude_code_proxy::store::Database;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use xtask::postgres::with_database;
use xtask::progress::{readable, step};
use xtask::workspace;

use statements::{BUCKETS, KEPT, PEOPLE, ROWS, SUMS};

/// Developers.
pub(crate) const USERS: u32 = 10_000;
/// Access keys of each of them.
pub(crate) const KEYS_OF_USER: u32 = 3;
/// Rows of one statement.
const PIECE: u32 = 250_000;
/// What the names of these databases begin with.
const PREFIX: &str = "ccp_bench_";

/// A filled database.
#[derive(Debug)]
pub(crate) struct Filled {
    server: String,
    name: String,
    url: String,
}

/// How large it is.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Size {
    pub(crate) rows: i64,
    pub(crate) space_of_rows: String,
    pub(crate) sums: i64,
    pub(crate) space_of_sums: String,
    pub(crate) deeds: i64,
}

/// The database that an earlier run has kept, if it is the same, else a new one.
pub(crate) async fn open(server: &str, rows: u32) -> Result<Filled> {
    let name = format!("{PREFIX}{rows}_{:016x}", fingerprint()?);
    let mut connection = PgConnection::connect(server).await.context("cannot reach the database server")?;
    let kept: Vec<String> =
        sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE starts_with(datname::text, $1)")
            .bind(PREFIX)
            .fetch_all(&mut connection)
            .await?;
    for other in kept.iter().filter(|&kept| *kept != name) {
        run(&mut connection, &format!("DROP DATABASE {other} WITH (FORCE)")).await?;
    }
    if kept.contains(&name) {
        step("using the database that was kept");
    } else {
        // Under another name until it is whole.
        let draft = format!("{name}_draft");
        run(&mut connection, &format!("CREATE DATABASE {draft}")).await?;
        fill(&with_database(server, &draft), rows).await?;
        run(&mut connection, &format!("ALTER DATABASE {draft} RENAME TO {name}")).await?;
    }
    connection.close().await?;
    Ok(Filled { server: server.to_owned(), url: with_database(server, &name), name })
}

impl Filled {
    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How large it is.
    pub(crate) async fn size(&self) -> Result<Size> {
        let mut connection = PgConnection::connect(&self.url).await?;
        let size = sqlx::query_as(
            "SELECT (SELECT count(*) FROM token_usage) AS rows, (SELECT count(*) FROM usage_aggregates) AS sums,
                    (SELECT count(*) FROM audit_log) AS deeds,
                    pg_size_pretty(pg_total_relation_size('token_usage')) AS space_of_rows,
                    pg_size_pretty(pg_total_relation_size('usage_aggregates')) AS space_of_sums",
        );
        let size = size.fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(size)
    }

    /// Keeps it for the next run, or removes it.
    pub(crate) async fn leave(self, keep: bool) -> Result<()> {
        if !keep {
            let mut connection = PgConnection::connect(&self.server).await?;
            run(&mut connection, &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await?;
            connection.close().await?;
        }
        Ok(())
    }
}

async fn fill(url: &str, rows: u32) -> Result<()> {
    let started = Instant::now();
    let database = Database::open(&DatabaseConfig { url: Secret::new(url), max_connections: 1 })?;
    database.migrate().await?;
    database.close().await;
    let mut connection = PgConnection::connect(url).await?;
    // For filling only: what is measured has connections of its own.
    run(&mut connection, "SET synchronous_commit = off; SET work_mem = '256MB'; SELECT setseed(0.5)").await?;
    let counts = |text: &str| text.replace("$users", &USERS.to_string()).replace("$keys", &KEYS_OF_USER.to_string());
    run(&mut connection, &counts(PEOPLE)).await?;
    run(&mut connection, &counts(KEPT)).await?;
    for from in (0..rows).step_by(usize::try_from(PIECE)?) {
        let to = rows.min(from.saturating_add(PIECE));
        let piece = counts(ROWS).replace("$rows", &rows.to_string());
        run(&mut connection, &piece.replace("$from", &from.to_string()).replace("$to", &to.to_string())).await?;
        step(format_args!("{to} of {rows} rows after {}", readable(started.elapsed())));
    }
    for bucket in BUCKETS {
        run(&mut connection, &SUMS.replace("$bucket", bucket)).await?;
        step(format_args!("sums by the {bucket} after {}", readable(started.elapsed())));
    }
    run(&mut connection, "VACUUM (ANALYZE)").await?;
    run(&mut connection, "CHECKPOINT").await?;
    connection.close().await?;
    step(format_args!("filled after {}", readable(started.elapsed())));
    Ok(())
}

/// Of all that decides what is in the database.
fn fingerprint() -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    (PEOPLE, KEPT, ROWS, SUMS, USERS, KEYS_OF_USER).hash(&mut hasher);
    let folder = workspace::root().join("migrations");
    let files = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = files.map(|file| file.map(|file| file.path())).collect::<Result<Vec<_>, _>>()?;
    files.sort_unstable();
    for file in files {
        std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

async fn run(connection: &mut PgConnection, statements: &str) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await.context("cannot fill the database")?;
    Ok(())
}
