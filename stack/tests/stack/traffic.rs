//! Traffic as the app publishes it, minute by minute, for the alarms to look at.

use serde_json::Value as Json;
use stack::evaluator::{Alarm, Minute, State};

use crate::support::template;

/// What one provider did in a minute.
#[derive(Clone, Copy, Default)]
pub(crate) struct Served {
    pub(crate) requests: u32,
    pub(crate) errors: u32,
    /// How many of the requests were slow: two seconds instead of twenty milliseconds.
    pub(crate) slow: u32,
}

/// What the app and the load balancer publish about a minute.
#[derive(Clone, Copy)]
pub(crate) struct Published {
    pub(crate) plan: Served,
    pub(crate) bedrock: Served,
    pub(crate) fallbacks: u32,
    /// Healthy tasks; none: the load balancer says nothing.
    pub(crate) healthy: Option<u32>,
    /// Whether any task runs that could publish.
    pub(crate) up: bool,
}

/// Two tasks that have nothing to do.
pub(crate) const IDLE: Published = Published {
    plan: Served { requests: 0, errors: 0, slow: 0 },
    bedrock: Served { requests: 0, errors: 0, slow: 0 },
    fallbacks: 0,
    healthy: Some(2),
    up: true,
};

/// Nothing runs, and nobody publishes.
pub(crate) const SILENT: Published = Published { healthy: None, up: false, ..IDLE };

impl Published {
    /// The values of a metric in this minute. Counters are published as zeros too; times only where there were any.
    fn values(&self, metric: &Json) -> Minute {
        let dimension = metric["Dimensions"].as_array().into_iter().flatten().find(|it| it["Name"] == "Provider");
        let served = match dimension.and_then(|dimension| dimension["Value"].as_str()) {
            Some("bedrock") => self.bedrock,
            _ => self.plan,
        };
        let counted = |count: u32| if self.up { vec![f64::from(count)] } else { Vec::new() };
        match metric["MetricName"].as_str().unwrap_or_default() {
            "RequestCount" => counted(served.requests),
            "ErrorCount" => counted(served.errors),
            "FallbackCount" => counted(self.fallbacks),
            "RequestLatency" => (0..served.requests).map(|at| if at < served.slow { 2_000.0 } else { 20.0 }).collect(),
            "HealthyHostCount" => self.healthy.map(f64::from).into_iter().collect(),
            _ => Vec::new(),
        }
    }
}

/// An alarm of the stack.
#[track_caller]
pub(crate) fn alarm(name: &str) -> Alarm {
    let resource = template().matching("AWS::CloudWatch::Alarm", &serde_json::json!({ "AlarmName": name }));
    Alarm::of(resource).unwrap_or_else(|told| panic!("{name}: {told}"))
}

/// The states of an alarm over this traffic.
#[track_caller]
pub(crate) fn states(name: &str, traffic: &[Published]) -> Vec<State> {
    alarm(name).states(|metric| traffic.iter().map(|minute| minute.values(metric)).collect())
}

/// Whether an alarm goes at any time.
#[track_caller]
pub(crate) fn goes(name: &str, traffic: &[Published]) -> bool {
    states(name, traffic).contains(&State::Alarm)
}

/// The names of alarms that go at any time.
pub(crate) fn going(traffic: &[Published]) -> Vec<String> {
    let names = template().of_type("AWS::CloudWatch::Alarm").map(|(_, alarm)| alarm.property("/AlarmName"));
    names.filter_map(|name| name.as_str().filter(|name| goes(name, traffic)).map(str::to_owned)).collect()
}

/// The same in each of so many minutes.
pub(crate) fn minutes(count: usize, minute: Published) -> Vec<Published> {
    vec![minute; count]
}

/// Twenty requests a minute to the plan, so many of them in error.
pub(crate) fn plan_errors(errors: u32) -> Published {
    Published { plan: Served { requests: 20, errors, slow: 0 }, ..IDLE }
}

/// One single minute of this in each period of five, and four without anything.
pub(crate) fn once_a_period(periods: usize, minute: Published) -> Vec<Published> {
    [minute, IDLE, IDLE, IDLE, IDLE].repeat(periods)
}
