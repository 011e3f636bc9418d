//! Goes through the sums of usage, window by window, and holds them against the rows that they are sums of.

mod compare;

use std::time::Duration;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use uuid::Uuid;

use super::retention::become_caretaker;
use super::zone::{hold_zone, knows_zone, set_zone, zone_of};
use super::{Database, StoreError};
use compare::{Mode, compare};

/// The largest window is a month of rows.
const WINDOW_TIMEOUT: Duration = Duration::from_mins(15);
const LOCK_TIMEOUT: Duration = Duration::from_mins(1);

/// Buckets that are compared together, by the longest of them, and hours from its start into the middle of the next.
const PASSES: [(&str, &[&str], i32); 3] =
    [("day", &["minute", "hour", "day"], 36), ("week", &["week"], 8 * 24), ("month", &["month"], 32 * 24)];

/// What to compare.
#[derive(Clone, Copy, Debug)]
pub struct Verification {
    /// Buckets before that of this moment are left out.
    pub from: Option<DateTime<Utc>>,
    /// Buckets that begin at this moment or later are left out.
    pub to: Option<DateTime<Utc>>,
    /// How long sums by the minute are kept; older ones are not compared.
    pub minutes_kept: Duration,
    /// Whether what differs is corrected.
    pub repair: bool,
}

/// What a verification comes upon.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// It has come to a window that begins then, of the buckets up to this length.
    Window(&'static str, DateTime<Utc>),
    /// A sum that is not that of its rows.
    Difference(Difference),
}

/// A sum that is not that of its rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Length of the bucket: minute, hour, day, week or month.
    pub bucket: String,
    /// Its first instant.
    pub start: DateTime<Utc>,
    /// `users.id`
    pub user_id: Uuid,
    /// `access_keys.id`; `None`: the sum over all keys of the user.
    pub access_key_id: Option<Uuid>,
    /// Who served.
    pub provider: String,
    /// The column.
    pub field: String,
    /// What the sums say.
    pub stored: Decimal,
    /// What the rows say.
    pub computed: Decimal,
}

#[derive(Clone, Copy)]
struct Window<'z> {
    buckets: &'static [&'static str],
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    zone: &'z str,
    minutes_kept: Duration,
}

impl Database {
    /// Compares the sums with the rows, window by window, each in a transaction of its own. False when the sums were made
    /// anew in another zone meanwhile, so that it has to be done again.
    ///
    /// # Errors
    /// When the database is away or slow; the windows before stay corrected.
    pub async fn verify_usage(&self, what: Verification, mut found: impl FnMut(Found)) -> Result<bool, StoreError> {
        let zone = self.usage_zone().await?;
        let mode = if what.repair { Mode::TellAndCorrect } else { Mode::Tell };
        for pass in PASSES {
            let mut after = what.from.unwrap_or(DateTime::UNIX_EPOCH);
            loop {
                let mut transaction = self.begin().await?;
                in_time(LOCK_TIMEOUT, become_caretaker(&mut transaction)).await?;
                // Whoever makes the sums anew is a caretaker, too: the zone stays as it is from here on.
                if zone_of(&mut *transaction).await? != zone {
                    return Ok(false);
                }
                let Some(window) = next_window(&mut transaction, pass, after, &what, &zone).await? else { break };
                found(Found::Window(pass.0, window.start));
                let told = compare(&mut transaction, &window, mode, |difference| found(Found::Difference(difference)));
                in_time(WINDOW_TIMEOUT, told).await?;
                transaction.commit().await?;
                after = window.end;
            }
        }
        Ok(true)
    }

    /// Makes all sums anew, in this zone from now on, in one transaction. Readers see the old ones until it is done, and
    /// writers wait. False, and nothing is changed, when the server does not know the zone.
    ///
    /// # Errors
    /// When the database is away or slow; nothing is changed then.
    pub async fn rebuild_usage(
        &self,
        zone: &str,
        minutes_kept: Duration,
        mut found: impl FnMut(Found),
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        if !knows_zone(&mut transaction, zone).await? {
            return Ok(false);
        }
        in_time(LOCK_TIMEOUT, become_caretaker(&mut transaction)).await?;
        in_time(LOCK_TIMEOUT, hold_zone(&mut transaction)).await?;
        set_zone(&mut transaction, zone).await?;
        // Not TRUNCATE, for which writers would have to let go of the table while they wait for the zone.
        sqlx::query!("DELETE FROM usage_aggregates").execute(&mut *transaction).await?;
        let what = Verification { from: None, to: None, minutes_kept, repair: true };
        for pass in PASSES {
            let mut after = DateTime::UNIX_EPOCH;
            while let Some(window) = next_window(&mut transaction, pass, after, &what, zone).await? {
                found(Found::Window(pass.0, window.start));
                in_time(WINDOW_TIMEOUT, compare(&mut transaction, &window, Mode::Correct, |_| {})).await?;
                after = window.end;
            }
        }
        transaction.commit().await?;
        Ok(true)
    }
}

async fn in_time<T>(limit: Duration, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(limit, work).await.map_err(|_| StoreError::Timeout(limit))?
}

/// The next window in which there is anything; it begins and ends with whole buckets.
async fn next_window<'z>(
    connection: &mut PgConnection,
    (longest, buckets, to_next): (&'static str, &'static [&'static str], i32),
    after: DateTime<Utc>,
    what: &Verification,
    zone: &'z str,
) -> Result<Option<Window<'z>>, StoreError> {
    let names: Vec<String> = buckets.iter().map(|&bucket| bucket.to_owned()).collect();
    let row = sqlx::query!(
        r#"WITH begun AS (SELECT usage_bucket_start($1, $2, $3) AS start)
           SELECT start AS "start!", usage_bucket_start($1, start + make_interval(hours => $4), $3) AS "end!"
             -- Each minimum is the first entry of an index, which a join with begun would read on from there to its end.
             FROM (SELECT least((SELECT min(timestamp) FROM token_usage WHERE timestamp >= (SELECT start FROM begun)),
                                (SELECT min(of_bucket.first)
                                   FROM unnest($5::text[]) AS bucket
                                  CROSS JOIN LATERAL (
                                      SELECT min(bucket_start) AS first FROM usage_aggregates
                                       WHERE bucket_type = bucket AND bucket_start >= (SELECT start FROM begun)
                                  ) AS of_bucket)) AS first) AS next,
                  LATERAL usage_bucket_start($1, next.first, $3) AS start
            WHERE next.first < $6 OR $6 IS NULL AND next.first IS NOT NULL"#,
        longest,
        after,
        zone,
        to_next,
        &names,
        what.to
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Window { buckets, start: row.start, end: row.end, zone, minutes_kept: what.minutes_kept }))
}
