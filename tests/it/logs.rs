//! The log: a `request` line for every request, a `usage` line for every row, all as JSON, and nothing that is secret.

use claude_code_proxy::domain::RoutingStrategy;
use http::Method;
use serde_json::Value;
use support::process::ServeProcess;
use support::{Answer, Client, KeyWish, Reply, Surroundings, frames, get};

#[tokio::test]
async fn every_request_is_a_line_with_all_its_fields() {
    let around = Surroundings::start().await;
    let process = ServeProcess::start(&around).await;
    let key = around.issue(KeyWish::default()).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    around.plan.enqueue(Reply::overloaded());
    around.bedrock.enqueue(Reply::bedrock_stream(&Answer::text("from Bedrock")));
    let fallen_back = client.ask_streamed().await;
    around.plan.enqueue(Reply::plan_json(&Answer::text("from the plan")));
    client.ask().await;
    let stranger = Client::at(format!("{}/ak/ak_unknown", process.url())).ask().await;
    let nowhere = get(client.without_login(Method::GET, "/v2/nowhere")).await;

    let requests = process.lines("request", 4).await;
    let line = |got: &support::Got| {
        let id = got.header("x-ccp-request-id");
        requests.iter().find(|line| line["span"]["request_id"] == id).unwrap_or_else(|| panic!("no line for {id}"))
    };
    let fallen_back = line(&fallen_back);
    for (field, expected) in [
        ("access_key_prefix", Value::from(&key.text[..12])),
        ("user_id", key.user_id.to_string().into()),
        ("operation", "messages".into()),
        ("model", "claude-opus-5-5".into()),
        ("provider", "bedrock".into()),
        ("is_fallback", true.into()),
        ("fallback_reason", "overloaded".into()),
        ("circuit", "closed".into()),
        ("status", 200.into()),
        ("outcome", "completed".into()),
        ("input_tokens", 11.into()),
        ("output_tokens", 7.into()),
    ] {
        assert_eq!(fallen_back[field], expected, "{field} in {fallen_back}");
    }
    for field in ["latency_ms", "overhead_ms", "ttft_ms"] {
        assert!(fallen_back[field].is_u64(), "{field} in {fallen_back}");
    }
    assert_eq!((&line(&stranger)["status"], &line(&stranger)["outcome"]), (&403.into(), &"refused".into()));
    assert_eq!(line(&nowhere)["status"], 404);

    let usage = process.lines("usage", 1).await;
    assert_eq!((usage.len(), &usage[0]["output_tokens"], &usage[0]["outcome"]), (1, &7.into(), &"completed".into()));
    let everything = format!("{:?}", process.log());
    for secret in [&key.text, &client.login, &client.prompt, key.bedrock_key.as_ref().unwrap(), &"/ak/".to_owned()] {
        assert!(!everything.contains(secret.as_str()));
    }
}

/// B-48: where Bedrock's metrics and its events do not agree, that is told once, and the larger counts are taken.
#[tokio::test]
async fn counts_that_do_not_agree_are_told() {
    const TOLD: &str = "the metrics of Bedrock and its events do not agree; the larger counts are stored";
    let around = Surroundings::start().await;
    let process = ServeProcess::start(&around).await;
    let key = around.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    let events = Answer::text("from Bedrock").to_bedrock_events();
    let frames = |from, to| events.iter().map(|event| frames::chunk(&event.data.replace(from, to))).collect::<Vec<_>>();
    for (from, to) in [("", ""), (r#""outputTokenCount":7"#, r#""outputTokenCount":9"#)] {
        around.bedrock.enqueue(Reply::chunks(frames(from, to)).as_bedrock_stream());
        client.ask_streamed().await;
    }
    let usage = process.lines("usage", 2).await;
    let told = process.lines(TOLD, 1).await;
    assert_eq!((told.len(), &told[0]["level"]), (1, &"WARN".into()));
    assert_eq!(told[0]["span"]["request_id"], usage[1]["request_id"]);
    assert_eq!((&usage[0]["output_tokens"], &usage[1]["output_tokens"]), (&7.into(), &9.into()));
}
