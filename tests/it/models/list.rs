//! The models list: the plan's for those who have a login, and otherwise the models of the map, from memory.

use claude_code_proxy::domain::RoutingStrategy;
use reqwest::Method;
use serde_json::{Value, json};
use support::{Client, Got, KeyWish, Reply, TestApp, get};

async fn without_login(client: &Client, path: &str) -> Got {
    get(client.without_login(Method::GET, path)).await
}

fn ids(got: &Got) -> Vec<String> {
    got.json()["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap().to_owned()).collect()
}

/// Newest first, in Anthropic's shape, and nobody is asked for it.
#[tokio::test]
async fn those_without_a_plan_are_told_what_bedrock_serves() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    let got = without_login(&client, "/v1/models?limit=1000").await;
    assert_eq!((got.status, got.header("content-type"), got.header("x-ccp-provider")), (200, "application/json", ""));
    assert!(uuid::Uuid::parse_str(got.header("x-ccp-request-id")).is_ok());
    let list = got.json();
    let opus = json!({
        "type": "model",
        "id": "claude-opus-5-5",
        "display_name": "Claude Opus 5.5",
        "created_at": "1970-01-01T00:00:00Z",
    });
    assert!(list["data"].as_array().unwrap().contains(&opus), "{list}");
    assert_eq!((&list["has_more"], &list["first_id"]), (&Value::Bool(false), &"claude-fable-5-2".into()));
    assert_eq!(list["last_id"], "claude-sonnet-4");
    let mapped: Vec<String> = sqlx::query_scalar("SELECT model FROM model_map ORDER BY position DESC")
        .fetch_all(&app.around().database.pool)
        .await
        .unwrap();
    assert_eq!(ids(&got), mapped);
    assert_eq!(app.plan().requests().len() + app.bedrock().requests().len(), 0);
    app.stop().await;
}

#[tokio::test]
async fn the_list_is_told_in_pages() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    let all = ids(&without_login(&client, "/v1/models?limit=1000").await);
    let mut seen: Vec<String> = Vec::new();
    loop {
        let after = seen.last().map(|id| format!("&after_id={id}")).unwrap_or_default();
        let got = without_login(&client, &format!("/v1/models?limit=7{after}")).await;
        let page = ids(&got);
        assert!(page.len() <= 7);
        assert_eq!(got.json()["last_id"].as_str(), page.last().map(String::as_str));
        seen.extend(page);
        if got.json()["has_more"] == false {
            break;
        }
    }
    assert_eq!(seen, all);
    let before = without_login(&client, &format!("/v1/models?limit=2&before_id={}", all[5])).await;
    assert_eq!(ids(&before), all[3..5]);
    for wrong in ["limit=0", "limit=1001", "limit=x", "after_id=nobody", "after_id=a&before_id=b"] {
        let got = without_login(&client, &format!("/v1/models?{wrong}")).await;
        assert_eq!((got.status, got.error_type().as_str()), (400, "invalid_request_error"), "{wrong}");
    }
    app.stop().await;
}

#[tokio::test]
async fn one_model_is_told_by_its_name() {
    let app = TestApp::start().await;
    let client = Client::of(&app, &app.key().await);
    for path in ["/v1/models/claude-haiku-4-5", "/v1/models/claude-haiku-4-5-20251001?beta=true"] {
        let got = without_login(&client, path).await;
        let told = (got.json()["id"].clone(), got.json()["display_name"].clone());
        assert_eq!(told, ("claude-haiku-4-5".into(), "Claude Haiku 4.5".into()), "{path}");
    }
    let got = without_login(&client, "/v1/models/claude-haiku-4").await;
    assert_eq!((got.status, got.error_type().as_str()), (404, "not_found_error"));
    app.stop().await;
}

/// Both places of the key; a login makes no difference to those whom Bedrock alone serves.
#[tokio::test]
async fn who_is_told_what_follows_from_the_way_of_a_message() {
    let app = TestApp::start().await;
    let only = app.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await;
    let (in_path, in_header) = (Client::of(&app, &only), Client::at(app.url()));
    for path in ["/v1/models", "/v1/models/claude-opus-5-5"] {
        assert_eq!(get(in_path.request(Method::GET, path)).await.status, 200, "{path}");
        let request = in_header.request(Method::GET, path).header("x-ccp-access-key", &only.text);
        assert_eq!(get(request).await.status, 200, "{path}");
    }
    assert_eq!(app.plan().requests().len(), 0);
    for wish in [KeyWish::without_bedrock(), KeyWish::routed(RoutingStrategy::PlanOnly)] {
        let client = Client::of(&app, &app.issue(wish).await);
        for path in ["/v1/models", "/v1/models/claude-opus-5-5"] {
            let got = without_login(&client, path).await;
            assert_eq!((got.status, got.error_type().as_str()), (501, "not_supported"), "{path}");
        }
        app.plan().enqueue(Reply::json(200, r#"{"data":[] }"#));
        let got = get(client.request(Method::GET, "/v1/models?limit=1000")).await;
        assert_eq!((&got.body[..], got.header("x-ccp-provider")), (&br#"{"data":[] }"#[..], "plan"));
    }
    // With a login the plan has the word, its errors included.
    let client = Client::of(&app, &app.key().await);
    app.plan().enqueue(Reply::overloaded());
    let got = get(client.request(Method::GET, "/v1/models")).await;
    assert_eq!((got.status, got.header("x-ccp-provider")), (529, "plan"));
    app.stop().await;
}
