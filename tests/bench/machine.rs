//! Where a measurement was made, as far as it matters to whoever reads it.

use anyhow::{Context as _, Result};
use sqlx::{Connection as _, PgConnection};

/// One sentence: cores, load and PostgreSQL.
pub(crate) async fn describe(server: &str) -> Result<String> {
    let mut connection = PgConnection::connect(server).await.context("cannot reach the database")?;
    let version: String =
        sqlx::query_scalar("SELECT current_setting('server_version')").fetch_one(&mut connection).await?;
    let buffers: String =
        sqlx::query_scalar("SELECT current_setting('shared_buffers')").fetch_one(&mut connection).await?;
    let flushes: String = sqlx::query_scalar("SELECT current_setting('fsync')").fetch_one(&mut connection).await?;
    connection.close().await?;
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').nth(1).unwrap_or("?");
    let version = version.split(' ').next().unwrap_or_default();
    Ok(format!(
        "Measured on {cores} cores (load average over five minutes at the end: {load}), PostgreSQL {version}, \
         shared_buffers {buffers}, fsync {flushes}."
    ))
}
