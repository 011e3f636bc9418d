//! Sums: those of the rows against what was delivered, and those of the aggregates against the rows.

use super::Bill;
use crate::TestDatabase;
use rust_decimal::Decimal;

/// Five kinds of buckets, each per key and per user.
const SUMS_OF_EACH_ROW: usize = 10;

/// What does not agree.
pub async fn wrong(bill: &Bill, database: &TestDatabase) -> Vec<String> {
    let mut wrong = Vec::new();
    let completed = numbers(
        database,
        "SELECT ARRAY[count(*), sum(input_tokens), sum(output_tokens), sum(cache_read_input_tokens),
                      sum(cache_creation_5m_tokens), sum(cache_creation_1h_tokens), sum(cost_usd)]::numeric[]
           FROM token_usage WHERE outcome = 'completed'",
    );
    let completed = completed.await;
    let (count, usage, cost) = bill.completed;
    let tokens = [usage.input, usage.output, usage.cache_read, usage.cache_creation_5m, usage.cache_creation_1h];
    let delivered: Vec<_> = [count].into_iter().chain(tokens).map(Decimal::from).chain([cost]).collect();
    if completed != [delivered.clone()] {
        wrong.push(format!("the rows of whole answers come to {completed:?}, delivered was {delivered:?}"));
    }
    let rows = numbers(
        database,
        "SELECT ARRAY[count(*), sum(input_tokens), sum(output_tokens), sum(cache_read_input_tokens),
                      sum(cache_creation_input_tokens), sum(total_tokens), sum(cost_usd)]::numeric[]
           FROM token_usage",
    );
    let aggregates = numbers(
        database,
        "SELECT ARRAY[sum(total_requests), sum(total_input_tokens), sum(total_output_tokens),
                      sum(total_cache_read_tokens), sum(total_cache_write_tokens), sum(total_tokens),
                      sum(total_cost_usd)]::numeric[]
           FROM usage_aggregates GROUP BY bucket_type, access_key_id IS NULL",
    );
    let (rows, aggregates) = (rows.await, aggregates.await);
    if aggregates != vec![rows[0].clone(); SUMS_OF_EACH_ROW] {
        wrong.push(format!("the aggregates are {aggregates:?}, the rows come to {rows:?}"));
    }
    wrong
}

async fn numbers(database: &TestDatabase, query: &'static str) -> Vec<Vec<Decimal>> {
    sqlx::query_scalar(query).fetch_all(&database.pool).await.unwrap()
}
