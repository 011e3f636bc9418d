//! One request, explained.

use http::Method;
use serde_json::{Value, json};
use support::{Administrator, Answer, Client, Reply, Usage, get, within};

const USAGE: Usage = Usage { input: 3, output: 550, cache_read: 40, cache_creation_5m: 304, cache_creation_1h: 12_000 };

#[tokio::test]
async fn a_request_is_explained_to_the_last_token() {
    let (app, admin) = Administrator::with_app().await;
    let key = app.key().await;
    app.plan().enqueue(Reply::overloaded());
    app.bedrock().enqueue(Reply::bedrock_json(&Answer::text("ok").with_usage(USAGE)));
    let id = Client::of(&app, &key).ask().await.header("x-ccp-request-id").to_owned();
    let request = explained(&admin, &id).await;
    for (field, expected) in [
        ("request_id", json!(id)),
        ("user_id", json!(key.user_id)),
        ("user_name", json!(format!("developer {}", key.id))),
        ("access_key_id", json!(key.id)),
        ("access_key_prefix", json!(key.text[..12])),
        ("model", json!("claude-opus-5-5")),
        ("upstream_model", json!("global.anthropic.claude-opus-5-5")),
        ("provider", json!("bedrock")),
        ("is_fallback", json!(true)),
        ("fallback_reason", json!("overloaded")),
        ("circuit", json!("closed")),
        ("outcome", json!("completed")),
        ("estimated", json!(false)),
        ("priced", json!(true)),
        ("cost_usd", json!("0.10854")),
    ] {
        assert_eq!(request[field], expected, "{field} of {request}");
    }
    let lines: Vec<_> = request["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            ["class", "count", "price_usd", "cost_usd"]
                .map(|field| line[field].as_str().map_or_else(|| line[field].to_string(), str::to_owned))
        })
        .collect();
    let expected = [
        ["input", "3", "4", "0.000012"],
        ["output", "550", "20", "0.011"],
        ["cache_read", "40", "0.2", "0.000008"],
        ["cache_write_5m", "304", "5", "0.00152"],
        ["cache_write_1h", "12000", "8", "0.096"],
    ];
    assert_eq!(lines, expected);
    app.stop().await;
}

/// As soon as the row is there.
async fn explained(admin: &Administrator, id: &str) -> Value {
    within("the row", async {
        loop {
            let got = admin.call("get_request").on("request_id", id).send().await;
            if got.status == 200 {
                return got.json();
            }
        }
    })
    .await
}

#[tokio::test]
async fn what_was_left_out_is_told() {
    let (app, admin) = Administrator::with_app().await;
    app.plan().enqueue(Reply::overloaded());
    let refused = "wanted_0: Extra inputs are not permitted";
    app.bedrock().enqueue(Reply::bedrock_error(400, "ValidationException", refused));
    app.bedrock().enqueue(Reply::bedrock_json(&Answer::text("ok").with_usage(USAGE)));
    let body = json!({"model": "claude-opus-5-5", "max_tokens": 64, "wanted_0": 1,
                      "messages": [{"role": "user", "content": "hi"}]});
    let client = Client::of(&app, &app.key().await);
    let got = get(client.request(Method::POST, "/v1/messages?beta=true").body(body.to_string())).await;
    let request = explained(&admin, got.header("x-ccp-request-id")).await;
    assert_eq!((&request["bedrock_dropped"], &request["outcome"]), (&json!("wanted_0"), &json!("completed")));
    app.stop().await;
}

#[tokio::test]
async fn of_a_request_without_a_row_the_log_knows() {
    let (app, admin) = Administrator::with_app().await;
    app.plan().enqueue(Reply::plan_json(&Answer::text("from the plan")));
    let id = Client::of(&app, &app.key().await).ask().await.header("x-ccp-request-id").to_owned();
    let error = admin.call("get_request").on("request_id", &id).refused(404).await;
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(&id) && message.contains("log"), "{error}");
    assert_eq!(error["fields"], Value::Array(Vec::new()));
    admin.call("get_request").on("request_id", "7").refused(400).await;
    app.stop().await;
}
