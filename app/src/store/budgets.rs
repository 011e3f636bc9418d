//! Reads what Bedrock has cost for users in the current month.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Database, StoreError};

/// Nobody waits for it; it is asked again soon.
const TIMEOUT: Duration = Duration::from_secs(4);

/// A calendar month in the zone of the sums.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Month {
    /// Its first instant.
    pub start: DateTime<Utc>,
    /// The first instant of the next one.
    pub end: DateTime<Utc>,
    /// The date of that, as people there write it down.
    pub reset: NaiveDate,
    /// The name of the zone.
    pub zone: String,
}

/// What is stored about a month, all as of one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spend {
    /// Which month it is.
    pub month: Month,
    /// USD of each user; who is missing has spent nothing.
    pub totals: Vec<(Uuid, Decimal)>,
    /// Which of the records that were asked about are in these totals.
    pub stored: HashSet<Uuid>,
}

impl Database {
    /// What Bedrock has cost for these users in the month of `now`, and which of these requests that includes: one
    /// statement, so that a record is either in the totals and said to be, or neither.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn spend(&self, now: DateTime<Utc>, users: &[Uuid], requests: &[Uuid]) -> Result<Spend, StoreError> {
        let requests: Vec<String> = requests.iter().map(Uuid::to_string).collect();
        let query = sqlx::query!(
            r#"WITH this AS (
                   SELECT name, usage_bucket_start('month', $1, name) AS start FROM usage_time_zone
               ), month AS (
                   -- 33 days after its beginning every month is over, and the next one is not.
                   SELECT name, start, usage_bucket_start('month', start + interval '33 days', name) AS "end" FROM this
               ), spent AS (
                   SELECT a.user_id, a.total_cost_usd
                     FROM usage_aggregates a JOIN month ON a.bucket_start = month.start
                    WHERE a.bucket_type = 'month' AND a.user_id = ANY($2) AND a.access_key_id IS NULL
                      AND a.provider = 'bedrock'
               )
               SELECT name AS "zone!", start AS "start!", "end" AS "end!", ("end" AT TIME ZONE name)::date AS "reset!",
                      ARRAY(SELECT user_id FROM spent ORDER BY user_id) AS "users!",
                      ARRAY(SELECT total_cost_usd FROM spent ORDER BY user_id) AS "totals!: Vec<Decimal>",
                      ARRAY(SELECT request_id::text FROM token_usage WHERE request_id = ANY($3)) AS "stored!"
                 FROM month"#,
            now,
            users,
            &requests
        )
        .fetch_one(&self.pool);
        let row = tokio::time::timeout(TIMEOUT, query).await.map_err(|_| StoreError::Timeout(TIMEOUT))??;
        Ok(Spend {
            month: Month { start: row.start, end: row.end, reset: row.reset, zone: row.zone },
            totals: row.users.into_iter().zip(row.totals).collect(),
            stored: row.stored.iter().filter_map(|id| id.parse().ok()).collect(),
        })
    }
}
