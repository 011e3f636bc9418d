//! The metrics as text for Prometheus, in its exposition format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use super::catalogue::{Kind, METRICS};
use super::distribution::{BOUNDS, Buckets};
use super::registry::{Cell, Registry, Series};

/// The type of the text.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All series as they are now. Values of labels come from the catalogue, which has none that would need an escape.
pub(super) fn text(registry: &Registry) -> String {
    let mut text = String::with_capacity(32 << 10);
    for metric in METRICS {
        let name = metric.prometheus_name();
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Distribution => "histogram",
        };
        let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", metric.about);
        for series in registry.series().iter().filter(|series| std::ptr::eq(series.metric, metric)) {
            write_series(&mut text, &name, series);
        }
    }
    text
}

fn write_series(text: &mut String, name: &str, series: &Series) {
    let labels: Vec<String> = series
        .metric
        .labels
        .iter()
        .zip(&series.values)
        .map(|(label, value)| format!("{}=\"{value}\"", label.key))
        .collect();
    match &series.cell {
        Cell::Counter(cell) => {
            let _ = writeln!(text, "{name}{} {}", braces(&labels), cell.load(Ordering::Relaxed));
        }
        Cell::Gauge(cell) => {
            let _ = writeln!(text, "{name}{} {}", braces(&labels), f64::from_bits(cell.load(Ordering::Relaxed)));
        }
        Cell::Distribution(cell) => write_buckets(text, name, &labels, &cell.buckets()),
    }
}

fn write_buckets(text: &mut String, name: &str, labels: &[String], buckets: &Buckets) {
    let bounds = BOUNDS.iter().map(|bound| seconds(*bound).to_string()).chain(["+Inf".to_owned()]);
    let mut so_far = 0;
    for (bound, count) in bounds.zip(buckets.counts) {
        so_far += count;
        let with_bound = [labels, &[format!("le=\"{bound}\"")]].concat();
        let _ = writeln!(text, "{name}_bucket{} {so_far}", braces(&with_bound));
    }
    let labels = braces(labels);
    let _ = writeln!(text, "{name}_sum{labels} {}\n{name}_count{labels} {so_far}", seconds(buckets.sum));
}

fn braces(labels: &[String]) -> String {
    if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) }
}

#[expect(clippy::cast_precision_loss, reason = "exact enough up to 2^53 milliseconds")]
fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use metrics::with_local_recorder;

    use super::*;
    use crate::domain::Provider;
    use crate::telemetry::counters;

    #[test]
    fn the_text_has_names_types_and_cumulative_buckets() {
        let registry = Registry::new(false);
        with_local_recorder(&registry, || {
            counters::request_latency(Provider::Plan, Duration::from_millis(2));
            counters::request_latency(Provider::Plan, Duration::from_millis(700));
            counters::usage_waiting(3, 2048, Duration::from_millis(1500));
            counters::bedrock_key_refused();
        });
        let text = text(&registry);
        for line in [
            "# TYPE claude_code_proxy_request_latency_seconds histogram",
            "claude_code_proxy_request_latency_seconds_bucket{provider=\"plan\",le=\"0.001\"} 0",
            "claude_code_proxy_request_latency_seconds_bucket{provider=\"plan\",le=\"0.002\"} 1",
            "claude_code_proxy_request_latency_seconds_bucket{provider=\"plan\",le=\"+Inf\"} 2",
            "claude_code_proxy_request_latency_seconds_sum{provider=\"plan\"} 0.702",
            "claude_code_proxy_request_latency_seconds_count{provider=\"plan\"} 2",
            "# TYPE claude_code_proxy_usage_journal_backlog_bytes gauge",
            "claude_code_proxy_usage_journal_backlog_bytes 2048",
            "claude_code_proxy_usage_oldest_seconds 1.5",
            "# TYPE claude_code_proxy_bedrock_key_refused_total counter",
            "claude_code_proxy_bedrock_key_refused_total 1",
            "claude_code_proxy_error_count_total{provider=\"bedrock\",error_type=\"throttled\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line:?} in\n{text}");
        }
    }

    #[test]
    fn nothing_in_it_needs_an_escape() {
        for metric in METRICS {
            let values = metric.labels.iter().flat_map(|label| (label.values)());
            for text in values.chain([metric.about]) {
                assert!(!text.contains(['"', '\\', '\n']), "{text:?}");
            }
        }
    }
}
