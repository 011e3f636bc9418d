//! Holds the sums of usage against the rows that they are sums of, and corrects them.
//!
//! A window is compared in one statement, which sees each batch of a writer whole or not at all. What is wrong is corrected
//! by adding the difference, so that writers need not wait: what they add meanwhile is added to that.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use uuid::Uuid;

use super::retention::become_caretaker;
use super::zone::{hold_zone, knows_zone, set_zone, zone_of};
use super::{Database, StoreError};

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

/// What is done with a difference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Tell,
    TellAndCorrect,
    Correct,
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
                let mut transaction = self.pool.begin().await?;
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
        let mut transaction = self.pool.begin().await?;
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
             FROM (SELECT least((SELECT min(timestamp) FROM token_usage, begun WHERE timestamp >= begun.start),
                                (SELECT min(bucket_start) FROM usage_aggregates, begun
                                  WHERE bucket_type = ANY ($5::text[]) AND bucket_start >= begun.start)) AS first) AS next,
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

async fn compare(
    connection: &mut PgConnection,
    window: &Window<'_>,
    mode: Mode,
    mut tell: impl FnMut(Difference),
) -> Result<(), StoreError> {
    let buckets: Vec<String> = window.buckets.iter().map(|&bucket| bucket.to_owned()).collect();
    let mut differences = sqlx::query_as!(
        Difference,
        r#"WITH sums AS (
               SELECT TRUE AS stored, bucket_type::text AS bucket, bucket_start AS start, user_id, access_key_id, provider,
                      total_requests::bigint AS requests, total_input_tokens::numeric AS input,
                      total_output_tokens::numeric AS output, total_cache_read_tokens::numeric AS cache_read,
                      total_cache_write_tokens::numeric AS cache_write, total_tokens::numeric AS total,
                      total_cost_usd AS cost
                 FROM usage_aggregates
                WHERE bucket_type = ANY ($1::text[]) AND bucket_start >= $2 AND bucket_start < $3
               UNION ALL
               SELECT FALSE, bucket, start, u.user_id, k.access_key_id, u.provider,
                      count(*), sum(u.input_tokens), sum(u.output_tokens), sum(coalesce(u.cache_read_input_tokens, 0)),
                      sum(coalesce(u.cache_creation_input_tokens, 0)), sum(u.total_tokens), sum(coalesce(u.cost_usd, 0))
                 FROM token_usage u
                CROSS JOIN unnest($1::text[]) AS bucket
                CROSS JOIN LATERAL usage_bucket_start(bucket, u.timestamp, $4) AS start
                CROSS JOIN LATERAL (VALUES (u.access_key_id), (NULL::uuid)) AS k (access_key_id)
                WHERE u.timestamp >= $2 AND u.timestamp < $3
                GROUP BY 2, 3, 4, 5, 6
           ), pairs AS (
               SELECT bucket, start, user_id, access_key_id, provider,
                      coalesce(sum(requests) FILTER (WHERE stored), 0) AS stored_requests,
                      coalesce(sum(requests) FILTER (WHERE NOT stored), 0) AS requests,
                      coalesce(sum(input) FILTER (WHERE stored), 0) AS stored_input,
                      coalesce(sum(input) FILTER (WHERE NOT stored), 0) AS input,
                      coalesce(sum(output) FILTER (WHERE stored), 0) AS stored_output,
                      coalesce(sum(output) FILTER (WHERE NOT stored), 0) AS output,
                      coalesce(sum(cache_read) FILTER (WHERE stored), 0) AS stored_cache_read,
                      coalesce(sum(cache_read) FILTER (WHERE NOT stored), 0) AS cache_read,
                      coalesce(sum(cache_write) FILTER (WHERE stored), 0) AS stored_cache_write,
                      coalesce(sum(cache_write) FILTER (WHERE NOT stored), 0) AS cache_write,
                      coalesce(sum(total) FILTER (WHERE stored), 0) AS stored_total,
                      coalesce(sum(total) FILTER (WHERE NOT stored), 0) AS total,
                      coalesce(sum(cost) FILTER (WHERE stored), 0) AS stored_cost,
                      coalesce(sum(cost) FILTER (WHERE NOT stored), 0) AS cost
                 FROM sums
                WHERE bucket <> 'minute' OR start >= statement_timestamp() - make_interval(secs => $5)
                GROUP BY 1, 2, 3, 4, 5
           ), differing AS MATERIALIZED (
               SELECT * FROM pairs
                WHERE (requests, input, output, cache_read, cache_write, total, cost)
                   <> (stored_requests, stored_input, stored_output, stored_cache_read, stored_cache_write, stored_total,
                       stored_cost)
           ), corrected AS (
               INSERT INTO usage_aggregates AS a (
                   bucket_type, bucket_start, user_id, access_key_id, provider, total_requests, total_input_tokens,
                   total_output_tokens, total_cache_read_tokens, total_cache_write_tokens, total_tokens, total_cost_usd)
               SELECT bucket, start, user_id, access_key_id, provider, requests - stored_requests, input - stored_input,
                      output - stored_output, cache_read - stored_cache_read, cache_write - stored_cache_write,
                      total - stored_total, cost - stored_cost
                 FROM differing
                WHERE $6
                -- As writers do, so that nobody waits in a circle.
                ORDER BY 1, 2, 3, 4, 5
               ON CONFLICT ON CONSTRAINT usage_aggregates_bucket_key DO UPDATE SET
                   total_requests = a.total_requests + excluded.total_requests,
                   total_input_tokens = a.total_input_tokens + excluded.total_input_tokens,
                   total_output_tokens = a.total_output_tokens + excluded.total_output_tokens,
                   total_cache_read_tokens = a.total_cache_read_tokens + excluded.total_cache_read_tokens,
                   total_cache_write_tokens = a.total_cache_write_tokens + excluded.total_cache_write_tokens,
                   total_tokens = a.total_tokens + excluded.total_tokens,
                   total_cost_usd = a.total_cost_usd + excluded.total_cost_usd
               RETURNING 1
           )
           SELECT bucket AS "bucket!", start AS "start!", user_id AS "user_id!", access_key_id, provider AS "provider!",
                  field AS "field!", pair.stored AS "stored!", pair.computed AS "computed!"
             FROM differing
            CROSS JOIN LATERAL (VALUES
                ('total_requests', stored_requests, requests),
                ('total_input_tokens', stored_input, input),
                ('total_output_tokens', stored_output, output),
                ('total_cache_read_tokens', stored_cache_read, cache_read),
                ('total_cache_write_tokens', stored_cache_write, cache_write),
                ('total_tokens', stored_total, total),
                ('total_cost_usd', stored_cost, cost)) AS pair (field, stored, computed)
            WHERE $7 AND pair.stored <> pair.computed
            ORDER BY start, bucket, user_id, access_key_id, provider"#,
        &buckets,
        window.start,
        window.end,
        window.zone,
        window.minutes_kept.as_secs_f64(),
        mode != Mode::Tell,
        mode != Mode::Correct
    )
    .fetch(&mut *connection);
    while let Some(difference) = differences.try_next().await? {
        tell(difference);
    }
    drop(differences);
    if mode == Mode::TellAndCorrect {
        forget_empty(connection, &buckets, window).await?;
    }
    Ok(())
}

/// Removes the sums of nothing, which a correction leaves where there are no rows.
async fn forget_empty(
    connection: &mut PgConnection,
    buckets: &[String],
    window: &Window<'_>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "DELETE FROM usage_aggregates WHERE id IN (
             SELECT id FROM usage_aggregates
              WHERE bucket_type = ANY ($1::text[]) AND bucket_start >= $2 AND bucket_start < $3 AND total_requests = 0
                FOR UPDATE SKIP LOCKED)",
        buckets,
        window.start,
        window.end
    )
    .execute(connection)
    .await?;
    Ok(())
}
