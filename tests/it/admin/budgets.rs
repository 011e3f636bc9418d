//! Budgets: what was spent of them, what is left, and when they begin anew.

use chrono::{DateTime, Utc};
use claude_code_proxy::domain::RoutingStrategy;
use serde_json::{Value, json};
use support::{Administrator, Answer, Client, KeyWish, Reply, Surroundings, TestApp, Usage, within};

#[tokio::test]
async fn a_budget_says_what_is_left_of_it_and_until_when() {
    let around = Surroundings::start().await.administered().with("REPORT_TIMEZONE", "Europe/Berlin");
    let app = TestApp::start_in(around).await;
    let admin = Administrator::at(app.url()).logged_in().await;
    let wish = KeyWish { budget: Some("10".parse().unwrap()), ..KeyWish::routed(RoutingStrategy::BedrockOnly) };
    let key = app.issue(wish).await;
    let budget = async || admin.call("get_user_budget").on("user_id", key.user_id).ok().await;
    let fresh = budget().await;
    assert_eq!(
        (&fresh["spent_usd"], &fresh["remaining_usd"], &fresh["percent_spent"]),
        (&json!("0"), &json!("10"), &json!(0))
    );
    let usage = Usage { input: 2_000_000, output: 0, ..Usage::default() };
    app.bedrock().enqueue(Reply::bedrock_json(&Answer::text("ok").with_usage(usage)));
    Client::of(&app, &key).ask().await;
    let spent = within("the sums", async {
        loop {
            let budget = budget().await;
            if budget["spent_usd"] != "0" {
                return budget;
            }
        }
    })
    .await;
    assert_eq!(
        (&spent["spent_usd"], &spent["remaining_usd"], &spent["percent_spent"]),
        (&json!("8"), &json!("2"), &json!(80))
    );
    assert_eq!((&spent["monthly_budget_usd"], &spent["time_zone"]), (&json!("10"), &json!("Europe/Berlin")));
    let time = |name: &str| spent[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let now = Utc::now();
    assert!(time("month_start") <= now && now < time("resets_at"), "{spent}");
    // Midnight in Berlin is the evening before in UTC.
    let (date, utc) = (spent["reset_date"].as_str().unwrap(), time("resets_at").format("%Y-%m-%d").to_string());
    assert!(date.ends_with("-01") && utc.as_str() < date, "{spent}");
    // More may be spent than the budget; then nothing is left.
    let change = json!({ "monthly_budget_usd": "5" });
    admin.call("update_user").on("user_id", key.user_id).json(change).ok().await;
    let over = budget().await;
    assert_eq!((&over["remaining_usd"], &over["percent_spent"]), (&json!("0"), &json!(160)));
    app.stop().await;
}

#[tokio::test]
async fn who_has_no_budget_has_spent_all_the_same() {
    let (app, admin) = Administrator::with_app().await;
    let user = admin.call("create_user").json(json!({ "name": "Grace" })).ok().await;
    let budget = admin.call("get_user_budget").on("user_id", user["id"].as_str().unwrap()).ok().await;
    assert_eq!((&budget["monthly_budget_usd"], &budget["remaining_usd"]), (&Value::Null, &Value::Null));
    assert_eq!((&budget["spent_usd"], &budget["user_id"]), (&json!("0"), &user["id"]));
    admin.call("get_user_budget").on("user_id", uuid::Uuid::new_v4()).refused(404).await;
    admin.call("get_user_budget").on("user_id", "7").refused(400).await;
    app.stop().await;
}
