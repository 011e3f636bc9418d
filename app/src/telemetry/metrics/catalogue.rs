//! Every metric there is, as data: its names, its unit, its labels with all their values, and what of it CloudWatch gets.

use crate::domain::refusal::KNOWN_FIELDS;
use crate::domain::{Family, Provider, ProviderError, RefusalKind};

/// The namespace in CloudWatch.
pub const NAMESPACE: &str = "ClaudeCodeProxy";
/// What begins every name for Prometheus.
pub const PREFIX: &str = "claude_code_proxy_";

/// A metric.
#[derive(Debug)]
pub struct Metric {
    /// The name in CloudWatch.
    pub name: &'static str,
    /// The same in snake case, which is the name in the code and, with prefix and unit, in Prometheus.
    pub key: &'static str,
    /// What a number of it is.
    pub kind: Kind,
    /// What it is counted in.
    pub unit: Unit,
    /// By what it is told apart.
    pub labels: &'static [Label],
    /// The sets of dimensions under which CloudWatch gets it; none: it is for Prometheus alone.
    pub splits: &'static [Split],
    /// What it says.
    pub about: &'static str,
}

impl Metric {
    /// The name in Prometheus, with the unit in it.
    pub fn prometheus_name(&self) -> String {
        let unit = match self.unit {
            Unit::Count => "",
            Unit::Bytes => "_bytes",
            Unit::Seconds | Unit::Milliseconds => "_seconds",
        };
        let total = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("{PREFIX}{}{unit}{total}", self.key)
    }
}

/// What a number is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It only grows; CloudWatch gets the growth of each minute.
    Counter,
    /// It is as it is at the moment; CloudWatch gets a sample of each second.
    Gauge,
    /// It comes with each request; CloudWatch gets each value with its number.
    Distribution,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Milliseconds; in Prometheus, which wants them so, seconds.
    Milliseconds,
}

/// A label, which is a dimension in CloudWatch, with all values that it can have. No client can add one.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// The name in the code and in Prometheus.
    pub key: &'static str,
    /// The name in CloudWatch.
    pub dimension: &'static str,
    /// The values.
    pub values: fn() -> Vec<&'static str>,
}

/// A set of dimensions under which CloudWatch gets a metric. It adds nothing up over dimensions itself.
#[derive(Debug)]
pub struct Split {
    /// The keys of the labels that are dimensions; over the others the metric is added up.
    pub by: &'static [&'static str],
    /// Whether a minute without anything is told as zero. Each combination is a metric that costs money while it is sent.
    pub zeros: bool,
}

const PROVIDER: Label =
    Label { key: "provider", dimension: "Provider", values: || Provider::ALL.map(Provider::name).to_vec() };
const ERROR_TYPE: Label = Label {
    key: "error_type",
    dimension: "ErrorType",
    values: || ProviderError::ALL.map(ProviderError::name).to_vec(),
};
const TOKEN_TYPE: Label = Label {
    key: "token_type",
    dimension: "TokenType",
    values: || vec!["input", "output", "cache_read", "cache_write"],
};
const FAMILY: Label = Label { key: "family", dimension: "Family", values: || Family::ALL.map(Family::name).to_vec() };
const FIELD: Label = Label { key: "field", dimension: "Field", values: || [KNOWN_FIELDS, &["other"]].concat() };
const REFUSAL: Label =
    Label { key: "kind", dimension: "Kind", values: || RefusalKind::ALL.map(RefusalKind::name).to_vec() };
const CONTINUITY: Label = Label { key: "cause", dimension: "Cause", values: || vec!["refused", "provider_changed"] };
const NOT_JOURNALED: Label = Label { key: "cause", dimension: "Cause", values: || vec!["full", "failed"] };
const UNREADABLE: Label = Label { key: "cause", dimension: "Cause", values: || vec!["damaged", "newer"] };

const WHOLE: &[Split] = &[Split { by: &[], zeros: true }];
const BY_PROVIDER: &[Split] = &[Split { by: &["provider"], zeros: true }];

/// All metrics.
pub static METRICS: &[Metric] = &[
    Metric {
        name: "RequestCount",
        key: "request_count",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &[PROVIDER],
        splits: BY_PROVIDER,
        about: "Requests that were the provider's to serve; one that fell back counts for both, whether the plan was asked or not.",
    },
    Metric {
        name: "RequestLatency",
        key: "request_latency",
        kind: Kind::Distribution,
        unit: Unit::Milliseconds,
        labels: &[PROVIDER],
        splits: BY_PROVIDER,
        about: "What the proxy adds until the first byte of an answer: failed attempts are in it, the upload and the wait for the \
                provider that answers are not.",
    },
    Metric {
        name: "TimeToFirstByte",
        key: "time_to_first_byte",
        kind: Kind::Distribution,
        unit: Unit::Milliseconds,
        labels: &[PROVIDER],
        splits: BY_PROVIDER,
        about: "From the arrival of a request to the first byte of the body of its answer.",
    },
    Metric {
        name: "RequestDuration",
        key: "request_duration",
        kind: Kind::Distribution,
        unit: Unit::Milliseconds,
        labels: &[PROVIDER],
        splits: BY_PROVIDER,
        about: "From the arrival of a request to the end of its answer.",
    },
    Metric {
        name: "ErrorCount",
        key: "error_count",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &[PROVIDER, ERROR_TYPE],
        splits: &[Split { by: &["provider"], zeros: true }, Split { by: &["provider", "error_type"], zeros: false }],
        about: "Requests in which the provider failed; limits of a plan and faults of requests are none.",
    },
    Metric {
        name: "FallbackCount",
        key: "fallback_count",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &[],
        splits: WHOLE,
        about: "Requests that the plan did not serve and Bedrock was asked for.",
    },
    Metric {
        name: "CircuitOpen",
        key: "circuit_open",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &[],
        splits: WHOLE,
        about: "Providers that are not asked at the moment: the plan as a whole, and regions of Bedrock. Limits of single \
                developers are not in it.",
    },
    Metric {
        name: "BedrockTokensUsed",
        key: "bedrock_tokens_used",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &[TOKEN_TYPE],
        splits: &[Split { by: &["token_type"], zeros: true }],
        about: "Tokens that Bedrock has counted; input is what came from no cache.",
    },
    Metric {
        name: "InFlight",
        key: "in_flight",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &[],
        splits: WHOLE,
        about: "Requests that are being served.",
    },
    Metric {
        name: "UsageQueueDepth",
        key: "usage_queue_depth",
        kind: Kind::Gauge,
        unit: Unit::Count,
        labels: &[],
        splits: WHOLE,
        about: "Usage records that wait for the database, in memory and in the journal.",
    },
    Metric {
        name: "UsageJournalBacklog",
        key: "usage_journal_backlog",
        kind: Kind::Gauge,
        unit: Unit::Bytes,
        labels: &[],
        splits: WHOLE,
        about: "Size of the usage journal.",
    },
    Metric {
        name: "PriceMissing",
        key: "price_missing",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &[FAMILY],
        splits: WHOLE,
        about: "Usage records of models without a price of their own.",
    },
    Metric {
        name: "FieldDropped",
        key: "field_dropped",
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &[FIELD],
        splits: WHOLE,
        about: "Fields of requests that were left out for Bedrock.",
    },
    for_prometheus(
        "UsageOldest",
        "usage_oldest",
        Kind::Gauge,
        Unit::Seconds,
        &[],
        "Age of the usage that is being stored.",
    ),
    for_prometheus(
        "UsageNotJournaled",
        "usage_not_journaled",
        Kind::Counter,
        Unit::Count,
        &[NOT_JOURNALED],
        "Usage records that the journal did not take.",
    ),
    for_prometheus(
        "UsageJournalUnreadable",
        "usage_journal_unreadable",
        Kind::Counter,
        Unit::Count,
        &[UNREADABLE],
        "Lines of the journal that gave no record.",
    ),
    for_prometheus(
        "UsageInLogOnly",
        "usage_in_log_only",
        Kind::Counter,
        Unit::Count,
        &[],
        "Usage records that are in the log and nowhere else.",
    ),
    for_prometheus(
        "BedrockRepair",
        "bedrock_repair",
        Kind::Counter,
        Unit::Count,
        &[REFUSAL],
        "Requests that were sent to Bedrock again without what it refused.",
    ),
    for_prometheus(
        "BedrockThrottleRetry",
        "bedrock_throttle_retry",
        Kind::Counter,
        Unit::Count,
        &[],
        "Calls of Bedrock that were throttled and tried again.",
    ),
    for_prometheus(
        "BedrockKeyRefused",
        "bedrock_key_refused",
        Kind::Counter,
        Unit::Count,
        &[],
        "Calls whose key Bedrock refused.",
    ),
    for_prometheus(
        "BudgetRefused",
        "budget_refused",
        Kind::Counter,
        Unit::Count,
        &[],
        "Requests that Bedrock was not asked for because the user's budget is spent.",
    ),
    for_prometheus(
        "ThinkingContinuityLost",
        "thinking_continuity_lost",
        Kind::Counter,
        Unit::Count,
        &[CONTINUITY],
        "Turns whose earlier thinking was lost on the way.",
    ),
];

const fn for_prometheus(
    name: &'static str,
    key: &'static str,
    kind: Kind,
    unit: Unit,
    labels: &'static [Label],
    about: &'static str,
) -> Metric {
    Metric { name, key, kind, unit, labels, splits: &[], about }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_names_for_both_are_the_same_and_each_is_there_once() {
        let mut seen = HashSet::new();
        for metric in METRICS {
            let words =
                metric.name.chars().flat_map(|c| c.is_uppercase().then_some('_').into_iter().chain(c.to_lowercase()));
            assert_eq!(words.collect::<String>().trim_start_matches('_'), metric.key);
            assert!(seen.insert(metric.key), "{} is there twice", metric.key);
        }
    }

    /// Whatever is counted under another name or label would be lost without a word.
    #[test]
    fn what_the_code_counts_is_what_is_here() {
        let code = include_str!("../counters.rs");
        let calls = code.lines().filter_map(|line| line.split_once("!(\"")).map(|(_, call)| {
            let mut texts = call.split('"').step_by(2);
            let key = texts.next().unwrap_or_default().to_owned();
            let labels = call.split("\" =>").map(|before| before.rsplit('"').next().unwrap_or_default().to_owned());
            let labels: Vec<String> = labels.take(call.matches("\" =>").count()).collect();
            (key, labels)
        });
        let here = METRICS.iter().map(|metric| {
            (metric.key.to_owned(), metric.labels.iter().map(|label| label.key.to_owned()).collect::<Vec<_>>())
        });
        assert_eq!(calls.collect::<HashSet<_>>(), here.collect::<HashSet<_>>());
    }

    #[test]
    fn every_split_is_by_labels_that_the_metric_has_and_gauges_have_none() {
        for metric in METRICS {
            for split in metric.splits {
                assert!(
                    split.by.iter().all(|key| metric.labels.iter().any(|label| label.key == *key)),
                    "{}",
                    metric.name
                );
            }
            assert!(
                metric.kind != Kind::Gauge || metric.labels.is_empty(),
                "{} would have to be added up",
                metric.name
            );
        }
    }

    /// CloudWatch takes 1,000 metrics in a call, and each costs money.
    #[test]
    fn the_number_of_series_is_known() {
        let sizes = |metric: &Metric| metric.labels.iter().map(|label| (label.values)().len()).product::<usize>();
        assert!(METRICS.iter().map(sizes).sum::<usize>() < 150);
    }
}
