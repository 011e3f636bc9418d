//! What every report begins with: its turn, a connection, and the instants of its range.

use chrono::{DateTime, Utc};
use tokio::sync::SemaphorePermit;

use super::range::{Asked, forward};
use super::turns::unread;
use crate::admin::Admin;
use crate::admin::problem::Problem;
use crate::store::UsageReader;

/// A report that is being read; dropped, it lets the next one have its turn.
pub(super) struct Opened<'a> {
    pub(super) reader: UsageReader,
    /// The zone of the sums.
    pub(super) zone: String,
    /// The first instant, and the first one after it.
    pub(super) range: (DateTime<Utc>, DateTime<Utc>),
    _turn: SemaphorePermit<'a>,
}

/// Waits for a turn and begins to read.
///
/// # Errors
/// When others take too long, the database is away, or nothing is in the range.
pub(super) async fn open(admin: &Admin, asked: Asked) -> Result<Opened<'_>, Problem> {
    let turn = admin.turns.take().await?;
    let mut reader = admin.database.read_usage().await?;
    let clock = reader.clock().await.map_err(unread)?;
    let (from, to) = asked.ends(&clock);
    let range = reader.range(&clock.zone, from, to).await.map_err(unread)?;
    forward(range)?;
    Ok(Opened { reader, zone: clock.zone, range, _turn: turn })
}

/// The same for a piece of an answer whose range is known.
///
/// # Errors
/// When others take too long, or the database is away.
pub(super) async fn read_on(admin: &Admin) -> Result<(UsageReader, SemaphorePermit<'_>), Problem> {
    let turn = admin.turns.take_another().await?;
    Ok((admin.database.read_usage().await?, turn))
}
