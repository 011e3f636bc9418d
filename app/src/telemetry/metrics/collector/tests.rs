//! What a minute looks like: names, dimensions, units, values and counts.

use std::time::Duration;

use metrics::{gauge, with_local_recorder};

use super::*;
use crate::domain::{Provider, ProviderError};
use crate::telemetry::counters;

/// A minute in which this happens.
fn minute(collector: &mut Collector, registry: &Registry, happens: impl FnOnce()) -> Vec<Datum> {
    with_local_recorder(registry, happens);
    collector.sample();
    collector.collect()
}

fn start() -> (Collector, Registry) {
    let registry = Registry::new(true);
    (Collector::new(registry.clone()), registry)
}

type Shown = (Vec<(&'static str, &'static str)>, Vec<f64>, Vec<f64>);

/// Dimensions, values and counts of all data of a metric.
fn of(data: &[Datum], name: &str) -> Vec<Shown> {
    let of_name = data.iter().filter(|datum| datum.name == name);
    of_name.map(|datum| (datum.dimensions.clone(), datum.values.clone(), datum.counts.clone())).collect()
}

/// An empty minute says zero of everything that is counted or looked at, and nothing of what no request brought.
#[test]
fn an_empty_minute_has_zeros() {
    let (mut collector, registry) = start();
    let data = minute(&mut collector, &registry, || {});
    let told: Vec<_> = data.iter().map(|datum| (datum.name, datum.dimensions.clone(), datum.unit)).collect();
    let by = |dimension, value| vec![(dimension, value)];
    let expected = [
        ("RequestCount", by("Provider", "plan"), Unit::Count),
        ("RequestCount", by("Provider", "bedrock"), Unit::Count),
        ("ErrorCount", by("Provider", "plan"), Unit::Count),
        ("ErrorCount", by("Provider", "bedrock"), Unit::Count),
        ("FallbackCount", vec![], Unit::Count),
        ("CircuitOpen", vec![], Unit::Count),
        ("BedrockTokensUsed", by("TokenType", "input"), Unit::Count),
        ("BedrockTokensUsed", by("TokenType", "output"), Unit::Count),
        ("BedrockTokensUsed", by("TokenType", "cache_read"), Unit::Count),
        ("BedrockTokensUsed", by("TokenType", "cache_write"), Unit::Count),
        ("InFlight", vec![], Unit::Count),
        ("UsageQueueDepth", vec![], Unit::Count),
        ("UsageJournalBacklog", vec![], Unit::Bytes),
        ("PriceMissing", vec![], Unit::Count),
        ("FieldDropped", vec![], Unit::Count),
    ];
    assert_eq!(told, expected);
    assert!(data.iter().all(|datum| (&datum.values[..], &datum.counts[..]) == (&[0.0], &[1.0])), "{data:?}");
}

#[test]
fn counters_tell_their_growth_and_are_added_up_over_what_is_no_dimension() {
    let (mut collector, registry) = start();
    let happens = || {
        counters::provider_failed(Provider::Plan, ProviderError::Overloaded);
        counters::provider_failed(Provider::Plan, ProviderError::Overloaded);
        counters::provider_failed(Provider::Plan, ProviderError::Timeout);
        counters::field_dropped("top_k");
        counters::field_dropped("a field that somebody made up");
    };
    for _ in 0..2 {
        let data = minute(&mut collector, &registry, happens);
        let typed = |kind| vec![("Provider", "plan"), ("ErrorType", kind)];
        let expected = [
            (vec![("Provider", "plan")], vec![3.0], vec![1.0]),
            (vec![("Provider", "bedrock")], vec![0.0], vec![1.0]),
            (typed("overloaded"), vec![2.0], vec![1.0]),
            (typed("timeout"), vec![1.0], vec![1.0]),
        ];
        assert_eq!(of(&data, "ErrorCount"), expected);
        assert_eq!(of(&data, "FieldDropped"), [(vec![], vec![2.0], vec![1.0])]);
    }
    assert_eq!(of(&collector.collect(), "FieldDropped"), [(vec![], vec![0.0], vec![1.0])]);
}

#[test]
fn times_are_values_and_counts_in_milliseconds_and_gauges_a_sample_each_second() {
    let (mut collector, registry) = start();
    with_local_recorder(&registry, || {
        for micros in [2_400, 1_600, 90_000] {
            counters::request_latency(Provider::Bedrock, Duration::from_micros(micros));
        }
        for requests in [3.0, 3.0, 5.0] {
            gauge!("in_flight").set(requests);
            collector.sample();
        }
    });
    let data = collector.collect();
    assert_eq!(of(&data, "RequestLatency"), [(vec![("Provider", "bedrock")], vec![2.0, 90.0], vec![2.0, 1.0])]);
    assert_eq!(of(&data, "InFlight"), [(vec![], vec![3.0, 5.0], vec![2.0, 1.0])]);
    assert!(data.iter().filter(|datum| datum.name == "RequestLatency").all(|datum| datum.unit == Unit::Milliseconds));
    assert!(of(&collector.collect(), "RequestLatency").is_empty(), "told once");
}

#[test]
fn a_datum_has_150_values_at_the_most() {
    let (mut collector, registry) = start();
    let data = minute(&mut collector, &registry, || {
        (0..400).for_each(|ms| counters::request_latency(Provider::Plan, Duration::from_millis(ms)));
    });
    let sizes: Vec<_> =
        of(&data, "RequestLatency").iter().map(|(_, values, counts)| (values.len(), counts.len())).collect();
    assert_eq!(sizes, [(150, 150), (150, 150), (100, 100)]);
}
