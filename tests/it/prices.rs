//! What Bedrock served has its price: in the rows, in their sums and in the log.

mod billed;
mod book;

use rust_decimal::Decimal;
use sqlx::FromRow;
use support::TestDatabase;

/// The columns of `token_usage` that say what a request cost.
#[derive(FromRow, Debug, PartialEq)]
struct Row {
    upstream_model: String,
    cost_usd: Decimal,
    input_price_usd: Decimal,
    output_price_usd: Decimal,
    cache_read_price_usd: Decimal,
    cache_write_5m_price_usd: Decimal,
    cache_write_1h_price_usd: Decimal,
    priced: bool,
}

impl Row {
    /// `unit`: the prices of input, output, read, written for 5 minutes, written for 1 hour.
    fn of(upstream_model: &str, cost: &str, unit: [&str; 5], priced: bool) -> Self {
        let [input, output, read, short, long] = unit.map(decimal);
        Self {
            upstream_model: upstream_model.to_owned(),
            cost_usd: decimal(cost),
            input_price_usd: input,
            output_price_usd: output,
            cache_read_price_usd: read,
            cache_write_5m_price_usd: short,
            cache_write_1h_price_usd: long,
            priced,
        }
    }
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

async fn rows(database: &TestDatabase) -> Vec<Row> {
    sqlx::query_as("SELECT * FROM token_usage ORDER BY timestamp").fetch_all(&database.pool).await.unwrap()
}

/// New prices of Opus 5.5: 1 / 2 / 3 / 4 / 5 for input, output, read, written for 5 minutes and for 1 hour.
const NEW_PRICES: &str = "INSERT INTO model_prices VALUES
    ('anthropic.claude-opus-5-5', 'opus', now() - interval '1 hour', 0, 1, 2, 3, 4, 5, 1.5, 'a test')";

async fn execute(database: &TestDatabase, statement: &'static str) {
    sqlx::query(statement).execute(&database.pool).await.unwrap();
}
