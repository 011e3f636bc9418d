//! What was used and what it cost: totals, classes of tokens and rankings, of requests that were really served.

use std::time::SystemTime;

use claude_code_proxy::domain::RoutingStrategy;
use http::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use support::administrator::Call;
use support::{Administrator, Answer, Client, IssuedKey, KeyWish, Reply, Surroundings, TestApp, Usage, get, within};
use uuid::Uuid;

/// An app in which Bedrock has served one request of one user and two of another, and the plan one of the other's.
async fn app_with_usage() -> (TestApp, Administrator, [IssuedKey; 2]) {
    let around = Surroundings::start().await.administered().with("METER_PLAN", "true");
    let app = TestApp::start_in(around).await;
    let admin = Administrator::at(app.url()).logged_in().await;
    let keys = [app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await, app.key().await];
    let usage = Usage { input: 100, output: 50, cache_read: 1000, cache_creation_5m: 200, cache_creation_1h: 100 };
    let answer = Answer::text("an answer").with_usage(usage);
    app.bedrock().enqueue(Reply::bedrock_json(&answer));
    assert_eq!(Client::of(&app, &keys[0]).ask().await.status, 200);
    app.plan().enqueue(Reply::plan_json(&answer));
    assert_eq!(Client::of(&app, &keys[1]).ask().await.status, 200);
    let reset = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + 300;
    app.plan().enqueue(Reply::plan_limited(reset));
    let limited = Client::of(&app, &keys[1]);
    app.bedrock().enqueue(Reply::bedrock_json(&answer));
    assert_eq!(limited.ask().await.status, 200);
    app.bedrock().enqueue(Reply::bedrock_stream(&answer));
    let in_session = limited.request(Method::POST, "/v1/messages").header("x-claude-code-session-id", "=session");
    let streamed = in_session.header("content-type", "application/json").body(limited.body(true));
    assert_eq!(get(streamed).await.status, 200);
    within("usage to be stored", async {
        while admin.call("get_usage").query("period", "last_7_days").ok().await["totals"]["requests"] != 4 {}
    })
    .await;
    (app, admin, keys)
}

async fn requests(call: Call) -> Value {
    call.ok().await["totals"]["requests"].take()
}

fn usd(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

/// Totals, with each filter, and the same by each group.
#[tokio::test]
async fn usage_is_reported_by_whom_it_was_and_who_served_it() {
    let (app, admin, [one, other]) = app_with_usage().await;
    let week = || admin.call("get_usage").query("period", "last_7_days");
    let report = week().ok().await;
    let totals = json!({
        "requests": 4, "input_tokens": 400, "output_tokens": 200, "cache_read_tokens": 4000, "cache_write_tokens": 1200,
        "total_tokens": 5800, "cost_usd": report["totals"]["cost_usd"],
    });
    assert_eq!((&report["totals"], &report["zone"], &report["bucket"]), (&totals, &json!("UTC"), &json!("day")));
    assert_eq!((report["series"].as_array().unwrap().len(), &report["groups"]), (7, &Value::Null));
    assert_eq!(requests(week().query("user_id", one.user_id)).await, 1);
    assert_eq!(requests(week().query("access_key_id", other.id)).await, 3);
    assert_eq!(requests(week().query("user_id", other.user_id).query("provider", "plan")).await, 1);
    assert_eq!(requests(week().query("user_id", one.user_id).query("access_key_id", other.id)).await, 0);
    assert_eq!(requests(week().query("model", "claude-opus-5-5")).await, 4);
    assert_eq!(requests(week().query("model", "claude-nothing")).await, 0);
    assert_eq!(requests(week().query("user_id", Uuid::new_v4())).await, 0);
    let expected = |id: Uuid, name: String| (json!(id), json!(name));
    for (group_by, groups) in [
        (
            "user",
            vec![
                (expected(other.user_id, format!("developer {}", other.id)), 3),
                (expected(one.user_id, format!("developer {}", one.id)), 1),
            ],
        ),
        (
            "access_key",
            vec![
                (expected(other.id, other.text[..12].to_owned()), 3),
                (expected(one.id, one.text[..12].to_owned()), 1),
            ],
        ),
        ("provider", vec![((Value::Null, json!("bedrock")), 3), ((Value::Null, json!("plan")), 1)]),
        ("model", vec![((Value::Null, json!("claude-opus-5-5")), 4)]),
    ] {
        let grouped = week().query("group_by", group_by).ok().await;
        let found: Vec<_> = grouped["groups"].as_array().unwrap().iter().collect();
        let found: Vec<_> = found
            .iter()
            .map(|group| ((group["id"].clone(), group["name"].clone()), group["totals"]["requests"].as_i64().unwrap()))
            .collect();
        assert_eq!(found, groups, "{group_by}");
        assert_eq!(grouped["totals"], report["totals"], "{group_by}");
    }
    app.stop().await;
}

/// Each class of tokens with the price that was stored; together they are the cost, which is that of the rows.
#[tokio::test]
async fn classes_of_tokens_add_up_to_the_cost() {
    let (app, admin, [one, _]) = app_with_usage().await;
    let costs = admin.call("get_usage_costs").query("period", "last_7_days").ok().await;
    assert_eq!((&costs["requests"], &costs["unpriced_requests"]), (&json!(4), &json!(0)));
    let tokens = |class: &str| costs["classes"][class]["tokens"].as_i64().unwrap();
    assert_eq!(
        ["input", "output", "cache_read", "cache_write_5m", "cache_write_1h"].map(tokens),
        [400, 200, 4000, 800, 400]
    );
    for part in costs["models"].as_array().unwrap().iter().chain([&costs]) {
        let classes = part["classes"].as_object().unwrap().values();
        let sum: Decimal = classes.map(|class| usd(&class["cost_usd"])).sum();
        assert!(sum > Decimal::ZERO && sum == usd(&part["cost_usd"]), "{part}");
    }
    // 100 tokens at 4 USD, 50 at 20, 1000 at 0.20, 200 at 5 and 100 at 8 per million, on Bedrock's global profile.
    let mine = admin.call("get_usage_costs").query("from", "2026-01-01").query("user_id", one.user_id).ok().await;
    assert_eq!((&mine["cost_usd"], &mine["models"].as_array().unwrap().len()), (&json!("0.0034"), &1));
    let model = &mine["models"][0];
    assert_eq!(
        (&model["upstream_model"], &model["provider"]),
        (&json!("global.anthropic.claude-opus-5-5"), &json!("bedrock"))
    );
    let stored: Decimal = sqlx::query_scalar("SELECT sum(cost_usd) FROM token_usage")
        .fetch_one(&app.around().database.pool)
        .await
        .unwrap();
    assert_eq!(usd(&costs["cost_usd"]), stored);
    app.stop().await;
}

#[tokio::test]
async fn users_are_ranked() {
    let (app, admin, [one, other]) = app_with_usage().await;
    for by in ["cost", "tokens", "requests"] {
        let top = admin.call("list_top_users").query("by", by).query("period", "last_7_days").ok().await;
        let ids: Vec<_> = top["items"].as_array().unwrap().iter().map(|user| user["user_id"].clone()).collect();
        assert_eq!(ids, [json!(other.user_id), json!(one.user_id)], "{by}");
        assert_eq!(top["items"][1]["name"], json!(format!("developer {}", one.id)));
        assert_eq!(
            (&top["users"], &top["totals"]["requests"], &top["totals"]["total_tokens"]),
            (&json!(2), &json!(4), &json!(5800))
        );
    }
    let top = admin.call("list_top_users").query("limit", 1).query("period", "last_7_days").query("provider", "plan");
    let top = top.ok().await;
    assert_eq!((&top["items"].as_array().unwrap().len(), &top["users"]), (&1, &json!(1)));
    let nobody = admin.call("list_top_users").query("from", "2020-01-01").query("to", "2020-01-31").ok().await;
    let expected = json!({ "requests": 0, "total_tokens": 0, "cost_usd": "0" });
    assert_eq!((&nobody["items"], &nobody["users"], &nobody["totals"]), (&json!([]), &json!(0), &expected));
    assert_eq!(
        (&nobody["from"], &nobody["to"]),
        (&json!("2020-01-01T00:00:00+00:00"), &json!("2020-02-01T00:00:00+00:00"))
    );
    app.stop().await;
}

/// Single requests with all that is stored of them, as JSON and as CSV.
#[tokio::test]
async fn requests_are_listed() {
    let (app, admin, [one, _]) = app_with_usage().await;
    let page = admin.call("list_usage_requests").ok().await;
    assert_eq!((&page["total"], &page["total_is_at_least"], &page["next"]), (&json!(4), &json!(false), &Value::Null));
    let first = &page["items"][3];
    let expected = json!({
        "request_id": first["request_id"], "timestamp": first["timestamp"], "user_id": one.user_id,
        "user_name": format!("developer {}", one.id), "access_key_id": one.id, "provider": "bedrock", "is_fallback": false,
        "model": "claude-opus-5-5", "upstream_model": "global.anthropic.claude-opus-5-5",
        "upstream_message_id": first["upstream_message_id"], "outcome": "completed", "input_tokens": 100,
        "output_tokens": 50, "cache_read_tokens": 1000, "cache_write_tokens": 300, "cache_write_1h_tokens": 100,
        "total_tokens": 1450, "cost_usd": "0.0034", "priced": true, "estimated": false, "latency_ms": first["latency_ms"],
        "time_to_first_token_ms": first["time_to_first_token_ms"], "web_search_requests": 0,
    });
    let expected: Value = expected
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    assert_eq!(*first, expected);
    // A text that a client has made up does not become a formula.
    let line =
        admin.call("list_usage_requests").query("session_id", "=session").header("accept", "text/csv").send().await;
    assert_eq!(line.header("content-type"), "text/csv; charset=utf-8; header=present");
    let text = String::from_utf8(line.body.to_vec()).unwrap();
    let [header, row, end] = text.split("\r\n").collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(
        header.starts_with("request_id,timestamp,user_id,") && row.contains(",'=session,") && end.is_empty(),
        "{text}"
    );
    assert_eq!(header.matches(',').count(), row.matches(',').count());
    app.stop().await;
}

/// What cannot be reported is refused by field, with the remedy.
#[tokio::test]
async fn reports_that_make_no_sense_are_refused_by_field() {
    let (app, admin) = Administrator::with_app().await;
    for (operation, parameters, status, field) in [
        ("get_usage", &[("period", "today"), ("from", "2026-01-01")][..], 422, Some("period")),
        ("get_usage", &[("to", "2026-01-01")], 422, Some("from")),
        ("get_usage", &[("from", "yesterday")], 422, Some("from")),
        ("get_usage", &[("from", "2026-01-01T00:00:00 01:00")], 422, Some("from")),
        ("get_usage", &[("from", "1970-01-01")], 422, Some("from")),
        ("get_usage", &[("from", "2026-01-02"), ("to", "2026-01-01")], 422, Some("to")),
        ("get_usage", &[("from", "2999-12-30"), ("to", "2999-12-31"), ("bucket", "minute")], 422, Some("bucket")),
        ("get_usage", &[("from", "2000-01-01"), ("bucket", "minute")], 422, Some("bucket")),
        ("get_usage", &[("from", "2026-01-01"), ("to", "2026-06-30"), ("group_by", "model")], 422, Some("from")),
        ("get_usage", &[("from", "2026-01-01"), ("to", "2026-06-30"), ("model", "x")], 422, Some("from")),
        ("get_usage", &[("model", "a\0b")], 422, Some("model")),
        ("get_usage", &[("model", "")], 422, Some("model")),
        ("get_usage", &[("bucket", "year")], 400, Some("bucket")),
        ("get_usage", &[("user_id", "7")], 400, Some("user_id")),
        ("list_usage_requests", &[("from", "2026-01-01"), ("to", "2026-06-30")], 422, Some("from")),
        ("list_usage_requests", &[("cursor", "WzEsMl0")], 422, Some("cursor")),
        ("list_usage_requests", &[("cursor", "WyIrMjAwMDAwLTAxLTAxVDAwOjAwOjAwWiIsIiJd")], 422, Some("cursor")),
        ("list_usage_requests", &[("session_id", "\0")], 422, Some("session_id")),
        ("list_usage_requests", &[("limit", "501")], 422, Some("limit")),
        ("list_top_users", &[("from", "2000-01-01"), ("to", "2026-01-01")], 422, Some("from")),
        ("list_top_users", &[("by", "name")], 400, Some("by")),
        ("get_usage_costs", &[("from", "2026-01-01"), ("to", "2026-06-30")], 422, Some("from")),
    ] {
        let call = parameters.iter().fold(admin.call(operation), |call, (name, value)| call.query(name, value));
        let error = call.refused(status).await;
        assert_eq!(error["fields"][0]["name"], json!(field), "{operation} {parameters:?}: {error}");
    }
    // The same is allowed about one user, whose rows are few.
    let user = Uuid::new_v4();
    for operation in ["get_usage_costs", "list_usage_requests"] {
        admin.call(operation).query("from", "2026-01-01").query("to", "2026-06-30").query("user_id", user).ok().await;
    }
    app.stop().await;
}
