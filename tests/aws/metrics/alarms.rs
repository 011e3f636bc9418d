//! Every metric that an alarm reads is published, under those dimensions and in a form that has that statistic.

use claude_code_proxy::telemetry::metrics::catalogue::{Kind, METRICS, NAMESPACE, Unit};
use rustix::process::Signal;
use support::process::ServeProcess;
use support::{Answer, Client, KeyWish, Reply};

use crate::moto::Moto;

/// A metric that an alarm reads.
struct Read {
    alarm: &'static str,
    metric: &'static str,
    provider: Option<&'static str>,
    statistic: Statistic,
    /// What its threshold is written in.
    unit: Unit,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Statistic {
    Sum,
    P95,
    Maximum,
}

const fn read(
    alarm: &'static str,
    metric: &'static str,
    provider: Option<&'static str>,
    statistic: Statistic,
    unit: Unit,
) -> Read {
    Read { alarm, metric, provider, statistic, unit }
}

/// Those of the proxy's own metrics; the rest of the alarms reads what AWS measures itself.
const ALARMS: &[Read] = &[
    read("HighErrorRate-Plan", "ErrorCount", Some("plan"), Statistic::Sum, Unit::Count),
    read("HighErrorRate-Plan", "RequestCount", Some("plan"), Statistic::Sum, Unit::Count),
    read("HighErrorRate-Bedrock", "ErrorCount", Some("bedrock"), Statistic::Sum, Unit::Count),
    read("HighErrorRate-Bedrock", "RequestCount", Some("bedrock"), Statistic::Sum, Unit::Count),
    read("HighLatency-Plan", "RequestLatency", Some("plan"), Statistic::P95, Unit::Milliseconds),
    read("HighLatency-Plan", "RequestCount", Some("plan"), Statistic::Sum, Unit::Count),
    read("HighLatency-Bedrock", "RequestLatency", Some("bedrock"), Statistic::P95, Unit::Milliseconds),
    read("HighLatency-Bedrock", "RequestCount", Some("bedrock"), Statistic::Sum, Unit::Count),
    read("HighFallbackRate", "FallbackCount", None, Statistic::Sum, Unit::Count),
    read("HighFallbackRate", "RequestCount", Some("plan"), Statistic::Sum, Unit::Count),
    read("CircuitOpen", "CircuitOpen", None, Statistic::Maximum, Unit::Count),
    read("UsageJournalBacklog", "UsageJournalBacklog", None, Statistic::Maximum, Unit::Bytes),
];

impl Statistic {
    /// Growths are added up, samples compared, and a percentile needs every value.
    fn fits(self, kind: Kind) -> bool {
        match self {
            Self::Sum => kind == Kind::Counter,
            Self::P95 => kind == Kind::Distribution,
            Self::Maximum => kind == Kind::Gauge,
        }
    }
}

#[test]
fn every_alarm_reads_a_metric_in_its_unit_and_with_a_statistic_that_it_has() {
    assert_eq!(NAMESPACE, "ClaudeCodeProxy");
    for Read { alarm, metric, provider, statistic, unit } in ALARMS {
        let found = METRICS.iter().find(|known| known.name == *metric);
        let found = found.unwrap_or_else(|| panic!("{alarm} reads {metric}, which is not published"));
        let by: &[&str] = if provider.is_some() { &["provider"] } else { &[] };
        assert!(found.splits.iter().any(|split| split.by == by), "{alarm} reads {metric} by {by:?}");
        assert_eq!(found.unit, *unit, "{alarm}, {metric}");
        assert!(statistic.fits(found.kind), "{alarm} takes {statistic:?} of {metric}, which is a {:?}", found.kind);
    }
}

/// After a request to each provider CloudWatch has them all.
#[tokio::test]
async fn cloudwatch_has_every_metric_that_an_alarm_reads() {
    let moto = Moto::in_region("eu-west-2");
    let around = moto.surroundings(moto.url()).await;
    let process = ServeProcess::start(&around).await;
    let key = around.issue(KeyWish::default()).await;
    let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
    around.plan.enqueue(Reply::plan_json(&Answer::text("one")));
    around.plan.enqueue(Reply::overloaded());
    around.bedrock.enqueue(Reply::bedrock_json(&Answer::text("two")));
    for _ in 0..2 {
        assert_eq!(client.ask().await.status, 200);
    }
    process.lines("request", 2).await;
    process.signal(Signal::TERM);
    assert_eq!(process.exit_code().await, Some(0));
    let known = moto.metrics().await;
    for Read { alarm, metric, provider, .. } in ALARMS {
        let dimensions: Vec<_> = provider.iter().map(|value| ("Provider".to_owned(), (*value).to_owned())).collect();
        assert!(
            known.contains(&((*metric).to_owned(), dimensions)),
            "{alarm} reads {metric} of {provider:?} in {known:?}"
        );
    }
}
