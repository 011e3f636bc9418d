//! What the README says of metrics and of the log is what the proxy says.

use std::collections::BTreeSet;

use claude_code_proxy::domain::ProviderError;
use claude_code_proxy::telemetry::metrics::catalogue::{METRICS, Metric, Split};
use serde_json::{Value, json};
use support::process::ServeProcess;
use support::{Answer, Client, KeyWish, Reply, Surroundings};

use super::read;

/// Words of CloudWatch Logs Insights, and the field `code` of errors, which queries use besides fields of these lines.
const INSIGHTS: [&str; 16] = [
    "fields", "filter", "sort", "asc", "desc", "limit", "stats", "by", "as", "and", "or", "count", "sum", "pct", "bin",
    "code",
];

fn cell(metric: &Metric) -> String {
    let dimension = |key: &&str| metric.labels.iter().find(|label| label.key == *key).unwrap().dimension;
    let set = |split: &Split| split.by.iter().map(dimension).collect::<Vec<_>>().join(", ");
    let sets = metric.splits.iter().map(|split| if split.by.is_empty() { "none".to_owned() } else { set(split) });
    sets.collect::<Vec<_>>().join("; ")
}

#[test]
fn the_readme_lists_every_metric() {
    let readme = read("README.md");
    for metric in METRICS {
        let labels: Vec<&str> = metric.labels.iter().map(|label| label.key).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let name = metric.prometheus_name().replace("claude_code_proxy_", "");
        let end = format!("| `{name}{labels}` | {} |\n", metric.about);
        let row = match metric.splits {
            [] => end,
            _ => format!("| `{}` | {:?} | {} {end}", metric.name, metric.unit, cell(metric)),
        };
        assert!(readme.contains(&format!("\n{row}")), "README.md lacks this row:\n{row}");
    }
    for error in ProviderError::ALL {
        let row = format!("\n| `{}` | ", error.name());
        assert!(readme.contains(&row), "README.md does not say what {error:?} is");
    }
}

/// The fields that the README names for a kind of line.
fn documented(kind: &str) -> BTreeSet<String> {
    let readme = read("README.md");
    let table = readme.split("| field | in | is |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows = table.lines().filter_map(|row| {
        let mut cells = row.strip_prefix("| ")?.split(" | ");
        Some((cells.next()?, cells.next()?))
    });
    let of_kind = rows.filter(|(_, lines)| lines.starts_with("all") || lines.contains(kind));
    of_kind.flat_map(|(names, _)| names.split(", ").map(|name| name.trim_matches('`').to_owned())).collect()
}

/// The fields of a line, those of the span with its name before theirs.
fn fields(line: &Value) -> BTreeSet<String> {
    let of = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let span = of(&line["span"]).into_iter().map(|name| format!("span.{name}"));
    of(line).into_iter().filter(|name| name != "span").chain(span).collect()
}

#[tokio::test]
async fn the_readme_names_the_fields_of_the_lines() {
    let around = Surroundings::start().await;
    let process = ServeProcess::start(&around).await;
    let key = around.issue(KeyWish::default()).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    around.plan.enqueue(Reply::overloaded());
    let refused = "wanted_0: Extra inputs are not permitted";
    around.bedrock.enqueue(Reply::bedrock_error(400, "ValidationException", refused));
    around.bedrock.enqueue(Reply::bedrock_stream(&Answer::text("everything has a value")));
    let body = json!({ "model": "claude-opus-5-5", "max_tokens": 64, "stream": true, "wanted_0": 1,
                       "messages": [{ "role": "user", "content": "hi" }] });
    let call = client
        .message(true)
        .body(body.to_string())
        .header("x-claude-code-session-id", "a-session")
        .header("x-claude-code-agent-id", "an-agent");
    assert_eq!(support::get(call).await.status, 200);
    Client::at(format!("{}/ak/ak_unknown", process.url())).ask().await;
    let requests = process.lines("request", 2).await;
    // What a refusal says of itself nobody else says; what concerns administrators no client causes.
    let refused = requests.iter().find(|line| line["outcome"] == "refused").unwrap();
    let served = requests.iter().find(|line| line["outcome"] == "completed").unwrap();
    let mut said: BTreeSet<String> = fields(refused).into_iter().chain(fields(served)).collect();
    said.insert("method".to_owned());
    assert_eq!(said, documented("`request`"));
    assert_eq!(fields(&process.lines("usage", 1).await[0]), documented("`usage`"));
}

#[test]
fn the_queries_ask_for_fields_that_there_are() {
    let readme = read("README.md");
    let section = readme.split("\n### The log\n").nth(1).unwrap().split("\n### ").next().unwrap();
    let queries: Vec<&str> = section.lines().filter(|line| line.starts_with("    ")).collect();
    assert_eq!(queries.iter().filter(|line| line.contains("filter ")).count(), 5);
    let (mut known, mut named) = (documented("`request`"), BTreeSet::new());
    known.extend(documented("`usage`"));
    known.extend(INSIGHTS.map(str::to_owned));
    for line in queries {
        let outside: String = line.split('"').step_by(2).collect::<Vec<_>>().join(" ");
        let words = outside.split(|c: char| !(c.is_alphanumeric() || "_.".contains(c)));
        // Names of results stand behind `as`.
        let mut after_as = false;
        for word in words.filter(|word| word.starts_with(|c: char| c.is_alphabetic())) {
            if after_as {
                known.insert(word.to_owned());
            }
            after_as = word == "as";
            named.insert(word.to_owned());
        }
    }
    let unknown: Vec<_> = named.difference(&known).collect();
    assert!(unknown.is_empty(), "the log has no {unknown:?}");
}
