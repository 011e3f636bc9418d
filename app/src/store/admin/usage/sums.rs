//! Usage by bucket and group: from the sums, or from the rows for what the sums do not have.

use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Buckets, UsageFilter, UsageReader, in_time};
use crate::store::StoreError;

/// What the usage of a bucket is grouped by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UsageGrouping {
    /// Nothing.
    Nothing,
    /// Whose it is.
    User,
    /// With which key.
    AccessKey,
    /// Who served it.
    Provider,
    /// What was asked for; the sums do not have it.
    Model,
}

/// What is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UsageSource {
    /// The sums of buckets of this kind.
    Sums(&'static str),
    /// The rows.
    Rows,
}

/// What is summed up.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct UsageSums {
    /// Requests.
    pub requests: i64,
    /// Prompt tokens outside the cache.
    pub input_tokens: i64,
    /// Tokens of answers.
    pub output_tokens: i64,
    /// Prompt tokens read from the cache.
    pub cache_read_tokens: i64,
    /// Prompt tokens written to the cache.
    pub cache_write_tokens: i64,
    /// All of them.
    pub total_tokens: i64,
    /// USD.
    pub cost_usd: Decimal,
}

/// The usage of a group in a bucket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsagePoint {
    /// Which bucket, of those that were asked about.
    pub start: DateTime<Utc>,
    /// The user or the access key.
    pub group_id: Option<Uuid>,
    /// The provider or the model.
    pub group_name: Option<String>,
    /// What there was.
    pub sums: UsageSums,
}

/// As a statement gives it.
struct Row {
    start: DateTime<Utc>,
    group_id: Option<Uuid>,
    group_name: Option<String>,
    requests: i64,
    input: i64,
    output: i64,
    cache_read: i64,
    cache_write: i64,
    total: i64,
    cost: Decimal,
}

impl UsageGrouping {
    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::User => "user",
            Self::AccessKey => "access_key",
            Self::Provider => "provider",
            Self::Model => "model",
        }
    }
}

impl UsageReader {
    /// The usage in these buckets, without those of which there is nothing, and not more than so many points.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn points(
        &mut self,
        source: UsageSource,
        buckets: &Buckets,
        grouping: UsageGrouping,
        filter: &UsageFilter,
        most: i64,
    ) -> Result<Vec<UsagePoint>, StoreError> {
        let rows = match source {
            UsageSource::Sums(bucket) => self.sums(bucket, buckets, grouping, filter, most).await,
            UsageSource::Rows => self.rows(buckets, grouping, filter, most).await,
        };
        Ok(rows?.into_iter().map(UsagePoint::from).collect())
    }

    async fn sums(
        &mut self,
        bucket: &str,
        buckets: &Buckets,
        grouping: UsageGrouping,
        filter: &UsageFilter,
        most: i64,
    ) -> Result<Vec<Row>, StoreError> {
        let by_key = grouping == UsageGrouping::AccessKey || filter.access_key_id.is_some();
        let query = sqlx::query_as!(
            Row,
            r#"SELECT ($2::timestamptz[])[width_bucket(bucket_start, $2)] AS "start!",
                      CASE $4 WHEN 'user' THEN user_id WHEN 'access_key' THEN access_key_id END AS group_id,
                      CASE $4 WHEN 'provider' THEN provider END AS group_name,
                      sum(total_requests)::bigint AS "requests!", sum(total_input_tokens)::bigint AS "input!",
                      sum(total_output_tokens)::bigint AS "output!", sum(total_cache_read_tokens)::bigint AS "cache_read!",
                      sum(total_cache_write_tokens)::bigint AS "cache_write!", sum(total_tokens)::bigint AS "total!",
                      sum(total_cost_usd) AS "cost!"
                 FROM usage_aggregates
                WHERE bucket_type = $1 AND bucket_start >= ($2::timestamptz[])[1] AND bucket_start < $3
                  -- Everything is there twice: for each key, and for each user.
                  AND (access_key_id IS NOT NULL) = $5
                  AND ($6::uuid IS NULL OR user_id = $6)
                  AND ($7::uuid IS NULL OR access_key_id = $7)
                  AND ($8::text IS NULL OR provider = $8)
                GROUP BY 1, 2, 3
                LIMIT $9"#,
            bucket,
            &buckets.starts,
            buckets.end,
            grouping.name(),
            by_key,
            filter.user_id,
            filter.access_key_id,
            filter.provider,
            most
        );
        in_time(query.fetch_all(&mut *self.transaction)).await
    }

    async fn rows(
        &mut self,
        buckets: &Buckets,
        grouping: UsageGrouping,
        filter: &UsageFilter,
        most: i64,
    ) -> Result<Vec<Row>, StoreError> {
        let query = sqlx::query_as!(
            Row,
            r#"SELECT ($1::timestamptz[])[width_bucket(timestamp, $1)] AS "start!",
                      CASE $3 WHEN 'user' THEN user_id WHEN 'access_key' THEN access_key_id END AS group_id,
                      CASE $3 WHEN 'provider' THEN provider WHEN 'model' THEN model END AS group_name,
                      count(*) AS "requests!", sum(input_tokens)::bigint AS "input!", sum(output_tokens)::bigint AS "output!",
                      sum(coalesce(cache_read_input_tokens, 0))::bigint AS "cache_read!",
                      sum(coalesce(cache_creation_input_tokens, 0))::bigint AS "cache_write!",
                      sum(total_tokens)::bigint AS "total!", sum(coalesce(cost_usd, 0)) AS "cost!"
                 FROM token_usage
                WHERE timestamp >= ($1::timestamptz[])[1] AND timestamp < $2
                  AND ($4::uuid IS NULL OR user_id = $4)
                  AND ($5::uuid IS NULL OR access_key_id = $5)
                  AND ($6::text IS NULL OR provider = $6)
                  AND ($7::text IS NULL OR model = $7)
                GROUP BY 1, 2, 3
                LIMIT $8"#,
            &buckets.starts,
            buckets.end,
            grouping.name(),
            filter.user_id,
            filter.access_key_id,
            filter.provider,
            filter.model,
            most
        );
        in_time(query.fetch_all(&mut *self.transaction)).await
    }

    /// What people call these users, or the prefixes of these access keys.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn names(&mut self, grouping: UsageGrouping, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>, StoreError> {
        let users = grouping == UsageGrouping::User;
        let query = sqlx::query!(
            r#"SELECT id AS "id!", name AS "name!" FROM users WHERE $2 AND id = ANY ($1)
                UNION ALL SELECT id, key_prefix FROM access_keys WHERE NOT $2 AND id = ANY ($1)"#,
            ids,
            users
        );
        let rows = in_time(query.fetch_all(&mut *self.transaction)).await?;
        Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
    }
}

impl From<Row> for UsagePoint {
    fn from(row: Row) -> Self {
        let sums = UsageSums {
            requests: row.requests,
            input_tokens: row.input,
            output_tokens: row.output,
            cache_read_tokens: row.cache_read,
            cache_write_tokens: row.cache_write,
            total_tokens: row.total,
            cost_usd: row.cost,
        };
        Self { start: row.start, group_id: row.group_id, group_name: row.group_name, sums }
    }
}

impl AddAssign for UsageSums {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cache_read_tokens += other.cache_read_tokens;
        self.cache_write_tokens += other.cache_write_tokens;
        self.total_tokens += other.total_tokens;
        self.cost_usd += other.cost_usd;
    }
}
