//! What a process sends, number by number.

use std::collections::BTreeMap;

use claude_code_proxy::domain::RoutingStrategy;
use rustix::process::Signal;
use serde_json::{Value, json};
use support::process::ServeProcess;
use support::{Answer, Client, KeyWish, Reply, Usage};

use crate::moto::{Moto, dimensions};

const USAGE: Usage = Usage { input: 11, output: 7, cache_read: 3, cache_creation_5m: 0, cache_creation_1h: 0 };

/// Data by name and dimensions, written like `ErrorCount{Provider=plan}`, each as unit, values and counts.
fn data(call: &Value) -> BTreeMap<String, Value> {
    let all = call["MetricData"].as_array().unwrap().iter();
    all.map(|datum| {
        let dimensions: Vec<String> =
            dimensions(datum).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let name = format!("{}{{{}}}", datum["MetricName"].as_str().unwrap(), dimensions.join(","));
        (name, json!([datum["Unit"], datum["Values"], datum["Counts"]]))
    })
    .collect()
}

/// Two requests that the plan serves, one that falls back, and one that Bedrock refuses for its key: the one call at the end
/// of the process says exactly that, with zeros for what did not happen.
#[tokio::test]
async fn a_process_says_at_its_end_what_has_happened() {
    let moto = Moto::in_region("eu-west-1");
    let around = moto.surroundings(moto.url()).await;
    let process = ServeProcess::start(&around).await;
    let key = around.issue(KeyWish::default()).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    for text in ["one", "two"] {
        around.plan.enqueue(Reply::plan_json(&Answer::text(text)));
        assert_eq!(client.ask().await.status, 200);
    }
    around.plan.enqueue(Reply::overloaded());
    around.bedrock.enqueue(Reply::bedrock_stream(&Answer::text("three").with_usage(USAGE)));
    assert_eq!(client.ask_streamed().await.header("x-ccp-fallback"), "overloaded");
    let other = around.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await;
    around.bedrock.enqueue(Reply::bedrock_error(403, "AccessDeniedException", "no"));
    assert_eq!(Client::at(format!("{}/ak/{}", process.url(), other.text)).ask().await.status, 502);
    process.lines("request", 4).await;
    process.signal(Signal::TERM);
    assert_eq!(process.exit_code().await, Some(0));

    let calls = moto.calls().await;
    assert_eq!((calls.len(), &calls[0]["Namespace"]), (1, &"ClaudeCodeProxy".into()));
    let data = data(&calls[0]);
    let count = |number: u32| json!(["Count", [f64::from(number)], [1.0]]);
    for (name, number) in [
        ("RequestCount{Provider=plan}", 3),
        ("RequestCount{Provider=bedrock}", 2),
        ("ErrorCount{Provider=plan}", 1),
        ("ErrorCount{Provider=bedrock}", 1),
        ("ErrorCount{Provider=plan,ErrorType=overloaded}", 1),
        ("ErrorCount{Provider=bedrock,ErrorType=key_refused}", 1),
        ("FallbackCount{}", 1),
        ("BedrockTokensUsed{TokenType=input}", 11),
        ("BedrockTokensUsed{TokenType=output}", 7),
        ("BedrockTokensUsed{TokenType=cache_read}", 3),
        ("BedrockTokensUsed{TokenType=cache_write}", 0),
        ("PriceMissing{}", 0),
        ("FieldDropped{}", 0),
    ] {
        assert_eq!(data[name], count(number), "{name}");
    }
    assert_eq!(data.keys().filter(|name| name.starts_with("ErrorCount")).count(), 4, "types that did not happen");
    let sum = |list: &Value| list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).sum::<f64>();
    for name in ["RequestLatency", "TimeToFirstByte", "RequestDuration"] {
        for (provider, requests) in [("plan", 2.0), ("bedrock", 1.0)] {
            let datum = &data[&format!("{name}{{Provider={provider}}}")];
            assert_eq!((&datum[0], sum(&datum[2])), (&"Milliseconds".into(), requests), "{name}, {provider}");
        }
    }
    for (name, unit) in [
        ("InFlight", "Count"),
        ("UsageQueueDepth", "Count"),
        ("UsageJournalBacklog", "Bytes"),
        ("CircuitOpen", "Count"),
    ] {
        let datum = &data[&format!("{name}{{}}")];
        assert!(datum[0] == unit && sum(&datum[2]) >= 1.0, "{name}: a sample for each second, not {datum}");
    }
    for datum in calls[0]["MetricData"].as_array().unwrap() {
        assert!(datum.get("StatisticValues").is_none() && datum["Timestamp"].is_number(), "{datum}");
    }
}
