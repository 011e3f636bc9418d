//! What an operator reads in the log: repairs, refused keys, features that are left out; each once, and nothing secret.

use claude_code_proxy::domain::RoutingStrategy;
use support::process::ServeProcess;
use support::{Answer, Client, IssuedKey, KeyWish, Reply, Surroundings, get};

use super::{ask, invalid};

async fn process(wish: KeyWish) -> (Surroundings, ServeProcess, IssuedKey, Client) {
    let around = Surroundings::start().await;
    let process = ServeProcess::start(&around).await;
    let key = around.issue(wish).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    (around, process, key, client)
}

fn on_bedrock() -> KeyWish {
    KeyWish::routed(RoutingStrategy::BedrockOnly)
}

/// B-39: a repair is a line with the kind, the name and the model, and none of AWS's words.
#[tokio::test]
async fn a_repair_is_logged() {
    let (around, process, _, client) = process(on_bedrock()).await;
    around.bedrock.enqueue(invalid("tools.0.custom.input_examples: Extra inputs are not permitted"));
    around.bedrock.enqueue(Reply::bedrock_json(&Answer::text("ok")));
    let tools =
        serde_json::json!({"tools": [{"name": "mine", "input_examples": [], "input_schema": {"type": "object"}}]});
    let got = ask(&client, tools).await;
    assert_eq!(got.status, 200);
    let line = process.lines("repaired", 1).await.remove(0);
    for (field, expected) in [
        ("level", "INFO"),
        ("kind", "field"),
        ("names", "tools.input_examples"),
        ("region", "ap-northeast-2"),
        ("model", "global.anthropic.claude-opus-5-5"),
    ] {
        assert_eq!(line[field], expected, "{line}");
    }
    assert_eq!((&line["served"], &line["span"]["request_id"]), (&true.into(), &got.header("x-ccp-request-id").into()));
}

/// A key that Bedrock refuses is an alert that names whose it is, once a minute, however often it is used.
#[tokio::test]
async fn a_refused_key_is_an_alert() {
    let (around, process, key, client) = process(on_bedrock()).await;
    for (status, kind) in [(403, "AccessDeniedException"), (401, "UnrecognizedClientException"), (403, "X")] {
        around.bedrock.enqueue(Reply::bedrock_error(status, kind, "Authentication failed"));
        let got = client.ask().await;
        assert_eq!((got.status, got.error_type().as_str()), (502, "api_error"));
    }
    process.lines("request", 3).await;
    let alerts: Vec<_> = process.log().into_iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!(
        (&alerts[0]["access_key_id"], &alerts[0]["region"]),
        (&key.id.to_string().into(), &"ap-northeast-2".into())
    );
    let log = format!("{:?}", process.log());
    assert!(!log.contains(&key.text) && !log.contains(key.bedrock_key.as_ref().unwrap()));
}

/// B-01, B-02: a beta that a model is not asked for is a line for each model, and not for each request.
#[tokio::test]
async fn betas_that_stay_behind_are_logged_once() {
    let (around, process, _, client) = process(on_bedrock()).await;
    around.bedrock.otherwise(|_| Reply::bedrock_json(&Answer::text("ok")));
    let other = around.issue(KeyWish { model: "us.anthropic.claude-opus-4-6-v1", ..on_bedrock() }).await;
    let other = Client::at(format!("{}/ak/{}", process.url(), other.text));
    for client in [&client, &client, &other] {
        let betas = "made-up-2031-01-01, interleaved-thinking-2025-05-14,advanced-tool-use-2025-11-20,Not A Flag";
        assert_eq!(get(client.message(false).header("anthropic-beta", betas)).await.status, 200);
    }
    process.lines("request", 3).await;
    let lines = process.lines("a beta is not asked for at Bedrock", 2).await;
    let told: Vec<(&str, &str)> =
        lines.iter().map(|line| (line["beta"].as_str().unwrap(), line["model"].as_str().unwrap())).collect();
    let beta = "made-up-2031-01-01";
    assert_eq!(told, [(beta, "global.anthropic.claude-opus-5-5"), (beta, "us.anthropic.claude-opus-5-5")]);
}
