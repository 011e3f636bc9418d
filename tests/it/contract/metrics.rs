//! The metrics: whatever an alarm or the dashboard looks at is published, with these dimensions and in this unit.

use std::collections::BTreeSet;

use claude_code_proxy::telemetry::metrics::catalogue::{Kind, METRICS, Metric, NAMESPACE, Split, Unit};
use serde_json::Value as Json;
use stack::proxy_stack;

use super::template;

/// A metric as somebody looks at it.
#[derive(Debug)]
struct Read {
    name: String,
    dimensions: Vec<(String, String)>,
    statistic: String,
}

/// Those that the alarms look at, with the name of the alarm.
fn by_alarms() -> Vec<(String, Read)> {
    let mut all = Vec::new();
    for (_, alarm) in template().of_type("AWS::CloudWatch::Alarm") {
        for query in alarm.property("/Metrics").as_array().unwrap() {
            let metric = &query["MetricStat"]["Metric"];
            if metric["Namespace"] == NAMESPACE {
                let text = |value: &Json| value.as_str().unwrap().to_owned();
                let dimensions = metric["Dimensions"].as_array().into_iter().flatten();
                let read = Read {
                    name: text(&metric["MetricName"]),
                    dimensions: dimensions.map(|it| (text(&it["Name"]), text(&it["Value"]))).collect(),
                    statistic: text(&query["MetricStat"]["Stat"]),
                };
                all.push((text(&alarm.property("/AlarmName")), read));
            }
        }
    }
    all
}

/// Those that the dashboard draws, one by one.
fn by_dashboard() -> Vec<Read> {
    let body = template().the("AWS::CloudWatch::Dashboard").property("/DashboardBody")["Fn::Sub"][0].clone();
    let body: Json = serde_json::from_str(body.as_str().unwrap()).unwrap();
    let rows =
        body["widgets"].as_array().unwrap().iter().filter_map(|widget| widget["properties"]["metrics"].as_array());
    let ours = rows.flatten().filter(|row| row[0] == NAMESPACE);
    ours.map(|row| {
        let row = row.as_array().unwrap();
        let (options, names) = row.split_last().unwrap();
        let names: Vec<_> = names.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        let pairs = names[2..].chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
        let statistic = options["stat"].as_str().unwrap().to_owned();
        Read { name: names[1].clone(), dimensions: pairs.collect(), statistic }
    })
    .collect()
}

#[track_caller]
fn published(read: &Read) -> (&'static Metric, &'static Split) {
    let metric = METRICS.iter().find(|metric| metric.name == read.name);
    let metric = metric.unwrap_or_else(|| panic!("nobody publishes {read:?}"));
    let named: BTreeSet<_> = read.dimensions.iter().map(|(name, _)| name.as_str()).collect();
    let split = metric.splits.iter().find(|split| {
        let labels = metric.labels.iter().filter(|label| split.by.contains(&label.key));
        labels.map(|label| label.dimension).collect::<BTreeSet<_>>() == named
    });
    let split = split.unwrap_or_else(|| panic!("it is not published by these dimensions: {read:?}"));
    for (name, value) in &read.dimensions {
        let label = metric.labels.iter().find(|label| label.dimension == name).unwrap();
        assert!((label.values)().contains(&value.as_str()), "{name} is never {value}: {read:?}");
    }
    // A sum of gauges, and a percentile of counts, would be numbers without a meaning.
    let meant = match metric.kind {
        Kind::Counter => read.statistic == "Sum",
        Kind::Gauge => read.statistic == "Maximum",
        Kind::Distribution => read.statistic.starts_with('p'),
    };
    assert!(meant, "{read:?}");
    (metric, split)
}

#[test]
fn the_namespace_is_the_same() {
    assert_eq!(NAMESPACE, proxy_stack::METRICS);
}

#[test]
fn whatever_an_alarm_looks_at_is_published() {
    let all = by_alarms();
    assert!(all.len() >= 12, "{all:?}");
    for (alarm, read) in &all {
        let (metric, split) = published(read);
        // Without its zeros a counter is missing in a quiet minute, and with it the whole of a ratio.
        assert!(metric.kind != Kind::Counter || split.zeros, "{alarm}: {read:?}");
        let unit = match metric.name {
            "RequestLatency" => Unit::Milliseconds,
            "UsageJournalBacklog" => Unit::Bytes,
            _ => Unit::Count,
        };
        assert_eq!(metric.unit, unit, "{alarm}: its threshold is in another unit");
    }
}

#[test]
fn whatever_the_dashboard_draws_is_published() {
    let all = by_dashboard();
    assert!(all.len() >= 15, "{all:?}");
    for read in &all {
        published(read);
    }
}

/// The dashboard finds the types of errors by themselves.
#[test]
fn errors_are_published_by_type_as_well() {
    let dimensions = ["Provider", "ErrorType"].map(|name| {
        let errors = METRICS.iter().find(|metric| metric.name == "ErrorCount").unwrap();
        let label = errors.labels.iter().find(|label| label.dimension == name).unwrap();
        (name.to_owned(), (label.values)()[0].to_owned())
    });
    published(&Read { name: "ErrorCount".to_owned(), dimensions: dimensions.to_vec(), statistic: "Sum".to_owned() });
}
