//! `/metrics`: what Prometheus is told, where, and that no client can add to it.

use std::collections::BTreeMap;

use claude_code_proxy::domain::RoutingStrategy;
use http::Method;
use support::process::ServeProcess;
use support::{Answer, Client, KeyWish, Reply, Surroundings, get, http_client, within};

/// A process with an address for its metrics, and where that is.
async fn serve(around: &Surroundings) -> (ServeProcess, String) {
    let process = ServeProcess::start(around).await;
    let line = process.lines("metrics are served", 1).await.remove(0);
    let url = format!("http://{}/metrics", line["address"].as_str().unwrap());
    (process, url)
}

/// Every series, by its name with its labels.
async fn scrape(url: &str) -> BTreeMap<String, f64> {
    let got = get(http_client().get(url)).await;
    assert_eq!((got.status, got.header("content-type")), (200, "text/plain; version=0.0.4; charset=utf-8"));
    let text = String::from_utf8(got.body.to_vec()).unwrap();
    let series = text.lines().filter(|line| !line.starts_with('#'));
    let read = |line: &str| line.rsplit_once(' ').map(|(name, number)| (name.to_owned(), number.parse().unwrap()));
    series.map(|line| read(line).unwrap_or_else(|| panic!("no series: {line}"))).collect()
}

fn whole(series: &BTreeMap<String, f64>, name: &str) -> u64 {
    let name = format!("claude_code_proxy_{name}");
    let number = series.get(&name).unwrap_or_else(|| panic!("no {name}"));
    assert!(number.fract() == 0.0 && *number >= 0.0, "{name} {number}");
    format!("{number}").parse().unwrap()
}

#[tokio::test]
async fn prometheus_is_told_what_has_happened() {
    let around = Surroundings::start().await.with("METRICS_ADDR", "127.0.0.1:0");
    let (process, url) = serve(&around).await;
    let key = around.issue(KeyWish::default()).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    around.plan.enqueue(Reply::plan_stream(&Answer::text("from the plan")));
    around.plan.enqueue(Reply::overloaded());
    around.bedrock.enqueue(Reply::bedrock_stream(&Answer::text("from Bedrock")));
    for _ in 0..2 {
        assert_eq!(client.ask_streamed().await.status, 200);
    }
    process.lines("request", 2).await;
    let series = within("both requests to be over", async {
        loop {
            let series = scrape(&url).await;
            if whole(&series, "in_flight") == 0 && whole(&series, "fallback_count_total") == 1 {
                break series;
            }
        }
    })
    .await;
    for (name, number) in [
        ("request_count_total{provider=\"plan\"}", 2),
        ("request_count_total{provider=\"bedrock\"}", 1),
        ("error_count_total{provider=\"plan\",error_type=\"overloaded\"}", 1),
        ("error_count_total{provider=\"bedrock\",error_type=\"throttled\"}", 0),
        ("bedrock_tokens_used_total{token_type=\"output\"}", 7),
        ("request_latency_seconds_count{provider=\"plan\"}", 1),
        ("request_latency_seconds_count{provider=\"bedrock\"}", 1),
        ("request_duration_seconds_bucket{provider=\"plan\",le=\"+Inf\"}", 1),
        ("time_to_first_byte_seconds_count{provider=\"bedrock\"}", 1),
        ("circuit_open", 0),
    ] {
        assert_eq!(whole(&series, name), number, "{name}");
    }
    let elsewhere = get(http_client().get(format!("{}/metrics", process.url()))).await;
    assert_eq!(elsewhere.status, 404, "not where developers are");
}

/// Whatever a client says, the series stay those that were there at the start.
#[tokio::test]
async fn no_client_can_add_a_series() {
    let around = Surroundings::start().await.with("METRICS_ADDR", "127.0.0.1:0");
    let (process, url) = serve(&around).await;
    let key = around.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    let names = |series: BTreeMap<String, f64>| series.into_keys().collect::<Vec<_>>();
    let before = names(scrape(&url).await);
    around.bedrock.otherwise(|_| Reply::bedrock_json(&Answer::text("an answer")));
    for (model, field) in [("claude-minted-1", "minted_field"), ("x\"} 1\nminted 1", "speed")] {
        let body = serde_json::json!({"model": model, "max_tokens": 1, "messages": [], field: 1}).to_string();
        get(client.request(Method::POST, "/v1/messages?minted=1").header("x-minted", model.len()).body(body)).await;
    }
    process.lines("request", 2).await;
    let after = scrape(&url).await;
    assert!(whole(&after, "request_count_total{provider=\"bedrock\"}") >= 1);
    assert_eq!(names(after), before);
}

/// The share of the time that is the proxy's own: neither the provider's nor the client's.
#[tokio::test]
async fn the_wait_for_a_provider_is_no_latency_of_the_proxy() {
    let around = Surroundings::start().await.with("METRICS_ADDR", "127.0.0.1:0");
    let (process, url) = serve(&around).await;
    let key = around.issue(KeyWish::default()).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    // The plan thinks, and the only way to see that this is not counted is to let time pass.
    let thinks = async { tokio::time::sleep(std::time::Duration::from_millis(600)).await };
    around.plan.enqueue(Reply::plan_stream(&Answer::text("at last")).held_until(thinks));
    assert_eq!(client.ask_streamed().await.status, 200);
    process.lines("request", 1).await;
    let series = scrape(&url).await;
    let sum = |name: &str| series[&format!("claude_code_proxy_{name}_seconds_sum{{provider=\"plan\"}}")];
    assert!(sum("time_to_first_byte") >= 0.6 && sum("request_latency") < 0.5, "{series:?}");
}
