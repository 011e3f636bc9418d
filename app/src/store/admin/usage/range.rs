//! From when to when a report goes, and its buckets: instants, by the calendar of the zone of the sums.

use chrono::{DateTime, NaiveDate, Utc};

use super::{UsageReader, in_time};
use crate::store::StoreError;

/// What time it is in the zone of the sums.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReportClock {
    /// Its name.
    pub zone: String,
    /// The date there.
    pub today: NaiveDate,
    /// By the database's clock.
    pub now: DateTime<Utc>,
}

/// An end of a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReportEnd {
    /// A day of the calendar, which belongs to the range.
    Day(NaiveDate),
    /// An instant: the first one of the range, or the first one after it.
    At(DateTime<Utc>),
}

/// Buckets that follow each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Buckets {
    /// Where they begin, in order.
    pub starts: Vec<DateTime<Utc>>,
    /// Where the last one ends.
    pub end: DateTime<Utc>,
}

impl ReportEnd {
    fn parameters(self) -> (Option<DateTime<Utc>>, Option<NaiveDate>) {
        match self {
            Self::Day(day) => (None, Some(day)),
            Self::At(instant) => (Some(instant), None),
        }
    }
}

impl UsageReader {
    /// What time it is.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn clock(&mut self) -> Result<ReportClock, StoreError> {
        let query = sqlx::query_as!(
            ReportClock,
            r#"SELECT name AS zone, (now() AT TIME ZONE name)::date AS "today!", now() AS "now!" FROM usage_time_zone"#
        );
        in_time(query.fetch_one(&mut *self.transaction)).await
    }

    /// The instants of a range: its first one, and the first one after it.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn range(
        &mut self,
        zone: &str,
        from: ReportEnd,
        to: ReportEnd,
    ) -> Result<(DateTime<Utc>, DateTime<Utc>), StoreError> {
        let ((from, first_day), (to, last_day)) = (from.parameters(), to.parameters());
        // Noon is in its day whatever the clock does there at midnight.
        let query = sqlx::query!(
            r#"SELECT coalesce($1, usage_bucket_start('day', ($2::date + time '12:00') AT TIME ZONE $5, $5)) AS "since!",
                      coalesce($3, usage_bucket_end('day', ($4::date + time '12:00') AT TIME ZONE $5, $5)) AS "until!""#,
            from,
            first_day,
            to,
            last_day,
            zone
        );
        let row = in_time(query.fetch_one(&mut *self.transaction)).await?;
        Ok((row.since, row.until))
    }

    /// The buckets that have something of a range, but not more than so many.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn buckets(
        &mut self,
        bucket: &str,
        (since, until): (DateTime<Utc>, DateTime<Utc>),
        zone: &str,
        most: i32,
    ) -> Result<Buckets, StoreError> {
        let query = sqlx::query!(
            r#"WITH buckets AS MATERIALIZED (SELECT usage_buckets($1, $2, $3, $4, $5) AS start)
               SELECT ARRAY(SELECT start FROM buckets ORDER BY start) AS "starts!",
                      coalesce(usage_bucket_end($1, (SELECT max(start) FROM buckets), $4), $3) AS "end!""#,
            bucket,
            since,
            until,
            zone,
            most
        );
        let row = in_time(query.fetch_one(&mut *self.transaction)).await?;
        Ok(Buckets { starts: row.starts, end: row.end })
    }
}
