//! Monthly budgets: what Bedrock may cost for a user, and what the user is told when that is spent.

mod instances;
mod native;

use claude_code_proxy::domain::RoutingStrategy;
use http::Method;
use rust_decimal::Decimal;
use serde_json::json;
use support::{Answer, BedrockApi, Client, Got, KeyWish, Reply, Surroundings, TestApp, TestDatabase, Usage, get};

/// Output tokens of Opus 5.5 at the list price of 20 USD per million.
const TOKENS_OF_A_DOLLAR: u64 = 50_000;

/// An answer that costs so much with the key's model.
fn worth(dollars: u64) -> Answer {
    let usage = Usage { input: 0, output: dollars * TOKENS_OF_A_DOLLAR, ..Usage::default() };
    Answer::text("an answer").with_usage(usage)
}

fn wish(routing: RoutingStrategy, budget: u32) -> KeyWish {
    KeyWish { routing, budget: Some(Decimal::from(budget)), ..KeyWish::default() }
}

/// An app with one user, who has this budget.
async fn app_and_client(routing: RoutingStrategy, budget: u32) -> (TestApp, Client) {
    let app = TestApp::start().await;
    let key = app.issue(wish(routing, budget)).await;
    let client = Client::of(&app, &key);
    (app, client)
}

/// The date on which the month ends in this zone, and the seconds until then, by the clock of the database.
async fn end_of_month(database: &TestDatabase, zone: &str) -> (String, i64) {
    let query = "WITH m AS (SELECT date_trunc('month', now() AT TIME ZONE $1) + interval '1 month' AS next)
                 SELECT to_char(next, 'YYYY-MM-DD'), extract(epoch FROM next AT TIME ZONE $1 - now())::bigint FROM m";
    sqlx::query_as(query).bind(zone).fetch_one(&database.pool).await.unwrap()
}

fn retry_after(got: &Got) -> i64 {
    got.header("retry-after").parse().unwrap()
}

/// The refusal in the official form: what, how much, until when, and that trying again is of no use.
#[tokio::test]
async fn a_spent_budget_is_refused_in_the_official_form() {
    // The month of the reports, wherever the machine is.
    let zone = "Pacific/Kiritimati";
    let around = Surroundings::start().await.with("REPORT_TIMEZONE", zone);
    sqlx::query("UPDATE usage_time_zone SET name = $1").bind(zone).execute(&around.database.pool).await.unwrap();
    let app = TestApp::start_in(around).await;
    let client = Client::of(&app, &app.issue(wish(RoutingStrategy::BedrockOnly, 1)).await);
    app.bedrock().enqueue(Reply::bedrock_json(&worth(2)));
    let served = client.ask().await;
    assert_eq!((served.status, served.header("x-ccp-budget")), (200, ""));
    for stream in [false, true] {
        let refused = get(client.message(stream)).await;
        let (date, seconds) = end_of_month(&app.around().database, zone).await;
        assert_eq!((refused.status, refused.error_type().as_str()), (429, "billing_error"));
        assert_eq!((refused.header("x-should-retry"), refused.header("x-ccp-provider")), ("false", ""));
        assert!((retry_after(&refused) - seconds).abs() < 60, "{refused:?}, {seconds} s");
        let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
        let expected = format!(
            "Your monthly budget for Bedrock is spent: $2.00 of $1.00. It begins anew on {date} ({zone}). \
             Ask the administrator of your proxy to raise it."
        );
        assert_eq!(message, expected);
    }
    assert_eq!(app.bedrock().requests().len(), 1, "Bedrock is not asked for what nobody may pay");
    app.stop().await;
}

/// From 80 % on every answer of Bedrock says how much is spent, streamed or whole, on either interface.
#[tokio::test]
async fn answers_warn_before_it_is_spent() {
    for api in BedrockApi::BOTH {
        let app = TestApp::start_in(api.surroundings().await).await;
        let client = Client::of(&app, &app.issue(wish(RoutingStrategy::PlanFirst, 10)).await);
        app.plan().otherwise(|_| Reply::overloaded());
        let mut warnings = Vec::new();
        for (dollars, stream) in [(4, false), (4, true), (1, true), (1, false)] {
            app.bedrock().enqueue(api.answer(&worth(dollars), stream));
            let got = get(client.message(stream)).await;
            assert_eq!((got.status, got.header("x-ccp-provider")), (200, "bedrock"));
            warnings.push(got.header("x-ccp-budget").to_owned());
        }
        assert_eq!(warnings, ["", "", "80%", "90%"]);
        app.stop().await;
    }
}

/// The plan is never limited, and what it says reaches the client as it is when Bedrock may not help.
#[tokio::test]
async fn without_budget_the_plan_has_the_last_word() {
    let (app, client) = app_and_client(RoutingStrategy::PlanFirst, 0).await;
    app.plan().enqueue(Reply::plan_json(&Answer::text("from the plan")));
    let got = client.ask().await;
    assert_eq!((got.status, got.header("x-ccp-provider"), got.header("x-ccp-budget")), (200, "plan", ""));
    // The first limit opens the circuit; then there is no other way than to ask the plan all the same.
    for _ in 0..2 {
        app.plan().enqueue(Reply::plan_limited(4_000_000_000));
        let got = client.ask().await;
        assert_eq!((got.status, got.header("x-ccp-provider"), got.header("x-ccp-fallback")), (429, "plan", ""));
        assert_eq!(got.header("anthropic-ratelimit-unified-reset"), "4000000000");
        assert_eq!(got.error_type(), "rate_limit_error");
    }
    app.plan().enqueue(Reply::drops_connection());
    let got = client.ask().await;
    assert_eq!((got.status, got.error_type().as_str()), (502, "api_error"), "the plan's failure, not the budget's");
    assert_eq!(app.bedrock().requests().len(), 0);
    app.stop().await;
}

/// Counting costs nothing.
#[tokio::test]
async fn without_budget_tokens_are_counted() {
    let (app, client) = app_and_client(RoutingStrategy::BedrockOnly, 0).await;
    assert_eq!(client.ask().await.error_type(), "billing_error");
    app.bedrock().enqueue(Reply::json(200, r#"{"inputTokens":9}"#));
    let body = json!({ "model": "claude-opus-4-6", "messages": [{ "role": "user", "content": client.prompt }] });
    let got = get(client.request(Method::POST, "/v1/messages/count_tokens").body(body.to_string())).await;
    assert_eq!((got.status, got.json()["input_tokens"].as_u64()), (200, Some(9)));
    app.stop().await;
}
