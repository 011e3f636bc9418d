//! Who used most.

use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Buckets, UsageReader, in_time};
use crate::store::StoreError;

/// What "most" means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TopOrder {
    /// USD.
    Cost,
    /// Tokens of all classes.
    Tokens,
    /// Requests.
    Requests,
}

/// A user, and what all users have together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopUser {
    /// `users.id`
    pub user_id: Uuid,
    /// What people call the user.
    pub name: Option<String>,
    /// Requests.
    pub requests: i64,
    /// Tokens of all classes.
    pub total_tokens: i64,
    /// USD.
    pub cost_usd: Decimal,
    /// Users who have used anything.
    pub users: i64,
    /// Requests of all of them.
    pub all_requests: i64,
    /// Tokens of all of them.
    pub all_tokens: i64,
    /// USD of all of them.
    pub all_cost_usd: Decimal,
}

impl UsageReader {
    /// Those who used most in these days, of one provider or of all.
    ///
    /// # Errors
    /// When the database is away or slow.
    pub async fn top_users(
        &mut self,
        days: &Buckets,
        order: TopOrder,
        provider: Option<&str>,
        limit: i64,
    ) -> Result<Vec<TopUser>, StoreError> {
        let order = match order {
            TopOrder::Cost => "cost",
            TopOrder::Tokens => "tokens",
            TopOrder::Requests => "requests",
        };
        let query = sqlx::query_as!(
            TopUser,
            r#"WITH used AS (
                   SELECT user_id, sum(total_requests)::bigint AS requests, sum(total_tokens)::bigint AS tokens,
                          sum(total_cost_usd) AS cost
                     FROM usage_aggregates
                    WHERE bucket_type = 'day' AND bucket_start >= $1 AND bucket_start < $2 AND access_key_id IS NULL
                      AND ($3::text IS NULL OR provider = $3)
                    GROUP BY 1
               ), ranked AS (
                   SELECT *, count(*) OVER () AS users, (sum(requests) OVER ())::bigint AS all_requests,
                          (sum(tokens) OVER ())::bigint AS all_tokens, sum(cost) OVER () AS all_cost
                     FROM used
                    ORDER BY CASE $4 WHEN 'cost' THEN cost WHEN 'tokens' THEN tokens ELSE requests END DESC, user_id
                    LIMIT $5
               )
               SELECT user_id AS "user_id!", (SELECT name FROM users u WHERE u.id = r.user_id) AS name,
                      requests AS "requests!", tokens AS "total_tokens!", cost AS "cost_usd!", users AS "users!",
                      all_requests AS "all_requests!", all_tokens AS "all_tokens!", all_cost AS "all_cost_usd!"
                 FROM ranked r
                ORDER BY CASE $4 WHEN 'cost' THEN cost WHEN 'tokens' THEN tokens ELSE requests END DESC, user_id"#,
            days.starts.first().copied().unwrap_or(days.end),
            days.end,
            provider,
            order,
            limit
        );
        in_time(query.fetch_all(&mut *self.transaction)).await
    }
}
