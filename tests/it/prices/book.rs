//! The price book: what the table begins with and refuses, and how a change of it is learnt.

use std::time::Duration;

use claude_code_proxy::domain::{Outcome, PriceBook, Provider, TokenUsage, UsageRecord};
use claude_code_proxy::meter::{Budgets, Prices, Recorder};
use claude_code_proxy::models::Models;
use rust_decimal::Decimal;
use support::{TestDatabase, within};
use uuid::Uuid;

use super::{NEW_PRICES, Row, decimal, execute, rows};

const SOON: Duration = Duration::from_millis(20);
const OPUS: [&str; 5] = ["4", "20", "0.2", "5", "8"];

/// A thousand tokens of input, asked for now.
fn record() -> UsageRecord {
    UsageRecord {
        request_id: Uuid::new_v4(),
        timestamp: std::time::SystemTime::now().into(),
        user_id: Uuid::nil(),
        access_key_id: Uuid::nil(),
        model: "claude-opus-5-5".to_owned(),
        upstream_model: "global.anthropic.claude-opus-5-5".to_owned(),
        upstream_message_id: None,
        tokens: TokenUsage { input: 1000, ..TokenUsage::default() },
        estimated: false,
        cost: None,
        provider: Provider::Bedrock,
        is_fallback: false,
        route: claude_code_proxy::domain::Route::default(),
        latency_ms: 1,
        time_to_first_token_ms: None,
        outcome: Outcome::Completed,
        session_id: None,
        agent_id: None,
    }
}

fn input_price(prices: &Prices) -> Decimal {
    prices.cost(&record()).prices.input
}

async fn until_input_costs(prices: &Prices, expected: &str) {
    within("a price to be learnt", async {
        while input_price(prices) != decimal(expected) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// The rows that the migration brings and those that are built in are the same, sources included.
#[tokio::test]
async fn the_table_begins_as_the_built_in_book() {
    let database = TestDatabase::create().await;
    let table = PriceBook::of(database.open().prices().await.unwrap());
    assert_eq!(table.as_ref(), Some(PriceBook::built_in()));
}

/// B-78: a price that changes is learnt while the service runs, and rows keep the price that they were written with.
#[tokio::test]
async fn a_new_price_changes_no_past() {
    let database = TestDatabase::create().await;
    let (models, models_task) = Models::start(database.open(), SOON);
    let (prices, prices_task) = Prices::start(database.open(), models.followed(), SOON);
    let (budgets, budgets_task) = Budgets::start(database.open());
    let (recorder, recorder_task) = Recorder::start(database.open(), prices.clone(), budgets, None);
    within("the first look", prices.first_look()).await;
    let (before, after) = (record(), record());
    recorder.record(before.clone());
    execute(&database, NEW_PRICES).await;
    until_input_costs(&prices, "1").await;
    recorder.record(after);
    // What comes twice keeps its first price.
    recorder.record(before);
    within("usage to be stored", recorder_task.drain()).await;
    within("the task to end", prices_task.stop()).await;
    within("the budgets to end", budgets_task.stop()).await;
    within("the models to end", models_task.stop()).await;
    let model = "global.anthropic.claude-opus-5-5";
    let expected = [Row::of(model, "0.004", OPUS, true), Row::of(model, "0.001", ["1", "2", "3", "4", "5"], true)];
    assert_eq!(rows(&database).await, expected);
}

/// Without the database the built-in prices hold, or the last ones that were read; an empty table is no book.
#[tokio::test]
async fn prices_stay_while_the_table_says_none() {
    let database = TestDatabase::create().await;
    execute(&database, NEW_PRICES).await;
    database.take_away().await;
    let (models, models_task) = Models::start(database.open(), SOON);
    let (prices, task) = Prices::start(database.open(), models.followed(), SOON);
    within("the first look", prices.first_look()).await;
    assert_eq!(input_price(&prices), decimal("4"));
    database.bring_back().await;
    until_input_costs(&prices, "1").await;
    database.take_away().await;
    database.bring_back().await;
    assert_eq!(input_price(&prices), decimal("1"));
    execute(&database, "CREATE TABLE away AS SELECT * FROM model_prices").await;
    execute(&database, "DELETE FROM model_prices").await;
    within("the task to end", task.stop()).await;
    let (prices, task) = Prices::start(database.open(), models.followed(), SOON);
    within("the first look", prices.first_look()).await;
    assert_eq!(input_price(&prices), decimal("4"));
    execute(&database, "INSERT INTO model_prices SELECT * FROM away").await;
    until_input_costs(&prices, "1").await;
    within("the task to end", task.stop()).await;
    within("the models to end", models_task.stop()).await;
}

/// What could not be computed with, or would never be found, is refused by its name.
#[tokio::test]
async fn the_table_takes_no_nonsense() {
    let database = TestDatabase::create().await;
    for (column, value, constraint) in [
        ("model", "'global.anthropic.claude-x'", "model_check"),
        ("model", "'us-gov.anthropic.claude-x'", "model_check"),
        ("model", "''", "model_check"),
        ("family", "'poem'", "family_check"),
        ("effective_from", "'-infinity'", "effective_from_check"),
        ("effective_from", "'infinity'", "effective_from_check"),
        ("prompt_tokens_above", "-1", "prompt_tokens_above_check"),
        ("input_price_usd", "-0.1", "prices_check"),
        ("output_price_usd", "'NaN'", "prices_check"),
        ("cache_read_price_usd", "'Infinity'", "prices_check"),
        ("cache_write_5m_price_usd", "10000", "prices_check"),
        ("cache_write_1h_price_usd", "0.0000001", "prices_check"),
        ("geographic_multiplier", "0.9", "geographic_multiplier_check"),
        ("geographic_multiplier", "'NaN'", "geographic_multiplier_check"),
        ("source", "''", "source_check"),
    ] {
        let statement = format!("UPDATE model_prices SET {column} = {value} WHERE model = 'anthropic.claude-opus-5-5'");
        let refused = sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&database.pool).await.unwrap_err();
        let refused = refused.into_database_error().unwrap();
        assert_eq!(refused.constraint(), Some(format!("model_prices_{constraint}").as_str()), "{column} = {value}");
    }
}
