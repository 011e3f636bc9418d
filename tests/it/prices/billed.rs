//! The costs of requests over HTTP. Prices are USD per million tokens, so tokens times price is millionths of a dollar.

use claude_code_proxy::domain::{Family, RoutingStrategy};
use rust_decimal::Decimal;
use serde_json::Value;
use support::process::ServeProcess;
use support::{Answer, Client, Counters, IssuedKey, KeyWish, Reply, Surroundings, TestApp, Usage, get};
use uuid::Uuid;

use super::{NEW_PRICES, Row, decimal, execute, rows};

const USAGE: Usage = Usage { input: 3, output: 550, cache_read: 40, cache_creation_5m: 304, cache_creation_1h: 12_000 };
const OPUS: [&str; 5] = ["4", "20", "0.2", "5", "8"];

fn billed() -> Answer {
    Answer::text("an answer").with_usage(USAGE)
}

/// A key whose user Bedrock alone serves, with this model.
fn served_by(model: &'static str) -> KeyWish {
    KeyWish { family_models: vec![(Family::Opus, model)], ..KeyWish::routed(RoutingStrategy::BedrockOnly) }
}

async fn client_of(app: &TestApp, model: &'static str) -> (Client, IssuedKey) {
    let key = app.issue(served_by(model)).await;
    (Client::of(app, &key), key)
}

async fn total_cost(around: &Surroundings, bucket: &str, user: Uuid, key: Option<Uuid>) -> Decimal {
    let query = "SELECT sum(total_cost_usd) FROM usage_aggregates
                  WHERE bucket_type = $1 AND user_id = $2 AND access_key_id IS NOT DISTINCT FROM $3";
    sqlx::query_scalar(query).bind(bucket).bind(user).bind(key).fetch_one(&around.database.pool).await.unwrap()
}

/// B-75, B-76: streamed, whole and in Bedrock's own format, with the unit prices that were taken; the sums are those of
/// the rows to the last digit.
#[tokio::test]
async fn every_row_says_what_it_cost_and_why() {
    let app = TestApp::start().await;
    let (list, key) = client_of(&app, "global.anthropic.claude-opus-5-5").await;
    let (european, _) = client_of(&app, "eu.anthropic.claude-opus-5-5").await;
    app.bedrock().enqueue(Reply::bedrock_stream(&billed()));
    app.bedrock().otherwise(|_| Reply::bedrock_json(&billed()));
    list.ask_streamed().await;
    list.ask().await;
    european.ask().await;
    let native = list.without_login(http::Method::POST, "/model/eu.anthropic.claude-opus-5-5/invoke");
    get(native.header("content-type", "application/json").body(list.body(false))).await;
    let around = app.stop().await;
    // 3 × 4 = 12; 550 × 20 = 11000; 40 × 0.20 = 8; 304 × 5 = 1520; 12000 × 8 = 96000; together 108540.
    let at_list = || Row::of("global.anthropic.claude-opus-5-5", "0.10854", OPUS, true);
    // 1.10 times that is 119394.
    let elsewhere = || Row::of("eu.anthropic.claude-opus-5-5", "0.119394", ["4.4", "22", "0.22", "5.5", "8.8"], true);
    assert_eq!(rows(&around.database).await, [at_list(), at_list(), elsewhere(), elsewhere()]);
    for bucket in ["minute", "hour", "day", "week", "month"] {
        for key_id in [Some(key.id), None] {
            // 2 × 0.10854 + 0.119394
            assert_eq!(total_cost(&around, bucket, key.user_id, key_id).await, decimal("0.336474"), "{bucket}");
        }
    }
}

/// B-77: never for nothing: the dearest known price, a flag in the row, and a count.
#[tokio::test]
async fn a_model_without_a_price_costs_what_the_dearest_does() {
    let counters = Counters::default();
    let _seen = metrics::set_default_local_recorder(&counters);
    let app = TestApp::start().await;
    app.bedrock().otherwise(|_| Reply::bedrock_json(&billed()));
    let arn = "arn:aws:bedrock:ap-northeast-2:123456789012:application-inference-profile/abc123";
    for model in ["global.anthropic.claude-fable-5-2", arn, "global.anthropic.claude-opus-5-5"] {
        client_of(&app, model).await.0.ask().await;
    }
    let around = app.stop().await;
    let expected = [
        // As Fable 5: 3 × 10 = 30; 550 × 50 = 27500; 40 × 1 = 40; 304 × 12.50 = 3800; 12000 × 20 = 240000.
        Row::of("global.anthropic.claude-fable-5-2", "0.27137", ["10", "50", "1", "12.5", "20"], false),
        // As Opus 4.1: 3 × 15 = 45; 550 × 75 = 41250; 40 × 1.50 = 60; 304 × 18.75 = 5700; 12000 × 30 = 360000.
        Row::of(arn, "0.407055", ["15", "75", "1.5", "18.75", "30"], false),
        Row::of("global.anthropic.claude-opus-5-5", "0.10854", OPUS, true),
    ];
    assert_eq!(rows(&around.database).await, expected);
    for (family, expected) in [("fable", 1), ("other", 1), ("opus", 0)] {
        assert_eq!(counters.get(&format!("price_missing{{family={family}}}")), expected, "{family}");
    }
}

/// With `METER_PLAN` what the plan served is worth the list price of its model, under the plan's names.
#[tokio::test]
async fn what_the_plan_serves_is_valued_at_the_list_price() {
    let counters = Counters::default();
    let _seen = metrics::set_default_local_recorder(&counters);
    let app = TestApp::start_in(Surroundings::start().await.with("METER_PLAN", "true")).await;
    let key = app.key().await;
    let client = Client::of(&app, &key);
    for model in ["claude-opus-4-8", "claude-haiku-4-5-20251001", "claude-fable-9"] {
        app.plan().enqueue(Reply::plan_json(&billed().with_model(model)));
        client.ask().await;
    }
    let around = app.stop().await;
    let expected = [
        // 3 × 5 = 15; 550 × 25 = 13750; 40 × 0.50 = 20; 304 × 6.25 = 1900; 12000 × 10 = 120000.
        Row::of("claude-opus-4-8", "0.135685", ["5", "25", "0.5", "6.25", "10"], true),
        // 3 × 1 = 3; 550 × 5 = 2750; 40 × 0.10 = 4; 304 × 1.25 = 380; 12000 × 2 = 24000.
        Row::of("claude-haiku-4-5-20251001", "0.027137", ["1", "5", "0.1", "1.25", "2"], true),
        // As Fable 5: 3 × 10 = 30; 550 × 50 = 27500; 40 × 1 = 40; 304 × 12.50 = 3800; 12000 × 20 = 240000.
        Row::of("claude-fable-9", "0.27137", ["10", "50", "1", "12.5", "20"], false),
    ];
    assert_eq!(rows(&around.database).await, expected);
    assert_eq!(counters.get("price_missing{family=fable}"), 1);
    assert_eq!(counters.get("price_missing{family=opus}"), 0);
}

/// The `usage` line has the values of the row; that a price is missing is told once for each model.
#[tokio::test]
async fn the_log_says_what_it_cost_and_which_price_is_missing() {
    let around = Surroundings::start().await;
    let process = ServeProcess::start(&around).await;
    around.bedrock.otherwise(|_| Reply::bedrock_json(&billed()));
    let unknown = "global.anthropic.claude-fable-5-2";
    for model in ["global.anthropic.claude-opus-5-5", unknown, unknown] {
        let key = around.issue(served_by(model)).await;
        Client::at(format!("{}/ak/{}", process.url(), key.text)).ask().await;
    }
    let lines = process.lines("usage", 3).await;
    for (field, expected) in [
        ("cost_usd", Value::from("0.10854")),
        ("input_price_usd", "4".into()),
        ("output_price_usd", "20".into()),
        ("cache_read_price_usd", "0.2".into()),
        ("cache_write_5m_price_usd", "5".into()),
        ("cache_write_1h_price_usd", "8".into()),
        ("priced", true.into()),
    ] {
        assert_eq!(lines[0][field], expected, "{field}");
    }
    assert_eq!((&lines[2]["cost_usd"], &lines[2]["priced"]), (&"0.27137".into(), &false.into()));
    let about_a_price = |line: &Value| line["level"] == "WARN" && line.get("family").is_some();
    let told: Vec<Value> = process.log().into_iter().filter(about_a_price).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["model"], &told[0]["family"]), (&unknown.into(), &"fable".into()));
}

/// B-78: the first request after a start has the prices of the table, and not those to come.
#[tokio::test]
async fn the_table_says_what_it_costs() {
    let around = Surroundings::start().await;
    execute(&around.database, NEW_PRICES).await;
    let later = "INSERT INTO model_prices VALUES
        ('anthropic.claude-opus-5-5', 'opus', now() + interval '1 hour', 0, 9, 9, 9, 9, 9, 1, 'a test')";
    execute(&around.database, later).await;
    let app = TestApp::start_in(around).await;
    app.bedrock().otherwise(|_| Reply::bedrock_json(&billed()));
    client_of(&app, "us.anthropic.claude-opus-5-5").await.0.ask().await;
    let around = app.stop().await;
    // 1.5 times (3 × 1 = 3; 550 × 2 = 1100; 40 × 3 = 120; 304 × 4 = 1216; 12000 × 5 = 60000; together 62439).
    let expected = Row::of("us.anthropic.claude-opus-5-5", "0.0936585", ["1.5", "3", "4.5", "6", "7.5"], true);
    assert_eq!(rows(&around.database).await, [expected]);
}
