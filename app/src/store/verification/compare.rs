//! Compares the sums of one window with its rows, in one statement, which sees each batch of a writer whole or not at all.
//!
//! What is wrong is corrected by adding the difference, so that writers need not wait: what they add meanwhile is added to
//! that.

use futures_util::TryStreamExt as _;
use sqlx::PgConnection;

use super::{Difference, Window};
use crate::store::StoreError;

/// What is done with a difference.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Tell,
    TellAndCorrect,
    Correct,
}

/// Tells or corrects, or both, what differs in a window.
pub(super) async fn compare(
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
        // An array, because for IN all sums may be read to find these.
        "DELETE FROM usage_aggregates WHERE id = ANY (ARRAY(
             SELECT id FROM usage_aggregates
              WHERE bucket_type = ANY ($1::text[]) AND bucket_start >= $2 AND bucket_start < $3 AND total_requests = 0
                FOR UPDATE SKIP LOCKED))",
        buckets,
        window.start,
        window.end
    )
    .execute(connection)
    .await?;
    Ok(())
}
