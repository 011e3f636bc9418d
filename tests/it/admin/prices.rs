//! The price book: added to, never changed, and taken for the next request.

use chrono::{TimeDelta, Utc};
use claude_code_proxy::domain::RoutingStrategy;
use serde_json::{Value, json};
use support::administrator::Call;
use support::{Administrator, Answer, Client, KeyWish, Reply, Usage, within};

const OPUS: &str = "anthropic.claude-opus-5-5";

fn prices(model: &str) -> Value {
    json!({
        "model": model, "input_price_usd": "1", "output_price_usd": "2", "cache_read_price_usd": "0.5",
        "cache_write_5m_price_usd": "1.25", "cache_write_1h_price_usd": "2.000001", "source": "a test",
    })
}

fn with(mut price: Value, field: &str, value: Value) -> Value {
    price[field] = value;
    price
}

#[tokio::test]
async fn a_price_is_taken_for_the_next_request() {
    let (app, admin) = Administrator::with_app().await;
    let client = Client::of(&app, &app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await);
    let usage = Usage { input: 1_000_000, output: 0, ..Usage::default() };
    app.bedrock().otherwise(move |_| Reply::bedrock_json(&Answer::text("ok").with_usage(usage)));
    let cost = async |id: &str| {
        within("the row", async {
            loop {
                let got = admin.call("get_request").on("request_id", id).send().await;
                if got.status == 200 {
                    return got.json()["cost_usd"].clone();
                }
            }
        })
        .await
    };
    let before = client.ask().await.header("x-ccp-request-id").to_owned();
    let made = admin.call("create_price").json(prices(OPUS)).ok().await;
    assert_eq!((&made["family"], &made["in_effect"]), (&json!("opus"), &json!(true)));
    assert_eq!((&made["geographic_multiplier"], &made["prompt_tokens_above"]), (&json!("1.1"), &json!(0)));
    let after = client.ask().await.header("x-ccp-request-id").to_owned();
    assert_eq!((cost(&before).await, cost(&after).await), (json!("4"), json!("1")));
    let listed = admin.call("list_prices").query("model", OPUS).ok().await;
    let in_effect = |price: &Value| price["in_effect"] == true;
    assert_eq!(listed["items"].as_array().unwrap().iter().filter(|price| in_effect(price)).count(), 1);
    assert_eq!((&listed["items"][1], &listed["total"]), (&made, &json!(2)));
    app.stop().await;
}

/// Of a time that was billed already the book says for ever what was billed.
#[tokio::test]
async fn the_past_is_never_changed() {
    let (app, admin) = Administrator::with_app().await;
    let at = |days: i64| json!((Utc::now() + TimeDelta::days(days)).to_rfc3339());
    let error = admin.call("create_price").json(with(prices(OPUS), "effective_from", at(-1))).refused(409).await;
    assert_eq!(error["code"], "price_in_past");
    // What had no price has been billed at another model's.
    admin.call("create_price").json(with(prices("anthropic.claude-new"), "effective_from", at(-1))).ok().await;
    let long = with(prices("anthropic.claude-new"), "prompt_tokens_above", json!(200_000));
    admin.call("create_price").json(with(long.clone(), "effective_from", at(-1))).ok().await;
    let error = admin.call("create_price").json(with(long, "effective_from", at(-2))).refused(409).await;
    assert_eq!(error["code"], "price_in_past");
    let future = with(prices(OPUS), "effective_from", at(30));
    let made = admin.call("create_price").json(future.clone()).ok().await;
    assert_eq!(made["in_effect"], false);
    assert_eq!(admin.call("create_price").json(future).refused(409).await["code"], "price_taken");
    let deeds = admin.call("list_audit").query("object_type", "price").ok().await;
    assert_eq!((&deeds["total"], &deeds["items"][0]["after"]["source"]), (&json!(3), &json!("a test")));
    app.stop().await;
}

/// Of several administrators who begin the past of a model at the same moment one does.
#[tokio::test]
async fn one_of_several_begins_the_past() {
    let (app, admin) = Administrator::with_app().await;
    for round in 0..5 {
        let begin = |days: i64| {
            let date = json!((Utc::now() - TimeDelta::days(days)).to_rfc3339());
            admin.call("create_price").json(with(prices(&format!("anthropic.claude-{round}")), "effective_from", date))
        };
        let calls = [begin(1), begin(2), begin(3), begin(4)];
        let got = futures_util::future::join_all(calls.iter().map(Call::send)).await;
        let mut statuses: Vec<u16> = got.iter().map(|got| got.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409]);
    }
    app.stop().await;
}

#[tokio::test]
async fn all_prices_are_listed_in_pages() {
    let (app, admin) = Administrator::with_app().await;
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    let total = loop {
        let mut call = admin.call("list_prices").query("limit", 5);
        if let Some(cursor) = &cursor {
            call = call.query("cursor", cursor);
        }
        let page = call.ok().await;
        seen.extend(page["items"].as_array().unwrap().clone());
        cursor = page["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break page["total"].as_u64().unwrap();
        }
    };
    assert_eq!((seen.len() as u64, total), (17, 17));
    let keys: Vec<_> =
        seen.iter().map(|price| (price["model"].as_str(), price["prompt_tokens_above"].as_u64())).collect();
    assert!(keys.is_sorted(), "{keys:?}");
    app.stop().await;
}

#[tokio::test]
async fn bad_prices_are_told_by_field() {
    let (app, admin) = Administrator::with_app().await;
    for (field, value, status) in [
        ("model", json!("global.anthropic.claude-opus-5-5"), 422),
        ("model", json!("a b"), 422),
        ("family", json!("llama"), 400),
        ("effective_from", json!("1999-12-31T23:59:59Z"), 422),
        ("effective_from", json!("3000-01-01T00:00:00Z"), 422),
        ("effective_from", json!("yesterday"), 400),
        ("prompt_tokens_above", json!(-1), 400),
        ("prompt_tokens_above", json!(2_147_483_648_u64), 422),
        ("input_price_usd", json!("10000"), 422),
        ("input_price_usd", json!("0.0000001"), 422),
        ("output_price_usd", json!("NaN"), 422),
        ("cache_read_price_usd", json!({}), 400),
        ("cache_write_1h_price_usd", Value::Null, 400),
        ("geographic_multiplier", json!("0.9"), 422),
        ("source", json!(""), 422),
    ] {
        let error = admin.call("create_price").json(with(prices("anthropic.x"), field, value)).refused(status).await;
        assert!(status == 400 || error["fields"][0]["name"] == field, "{field}: {error}");
    }
    let none = admin.call("list_prices").query("model", "anthropic.x").ok().await;
    assert_eq!((&none["total"], &none["items"]), (&json!(0), &json!([])));
    app.stop().await;
}
