//! Metrics of CloudWatch: which numbers an alarm or a dashboard looks at.

use crate::cfn::cloudwatch::{self, Dimension, MetricStat};
use crate::core::Value;

/// A metric with its dimensions, a statistic of it, and over how long.
#[derive(Clone, Debug)]
pub struct Metric {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) dimensions: Vec<(String, Value<String>)>,
    pub(super) statistic: String,
    pub(super) period: i64,
}

impl Metric {
    fn new(namespace: &str, name: &str, statistic: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions: Vec::new(),
            statistic: statistic.to_owned(),
            period: 300,
        }
    }

    /// The sum over five minutes.
    pub fn sum(namespace: &str, name: &str) -> Self {
        Self::new(namespace, name, "Sum")
    }

    /// The largest value in five minutes.
    pub fn maximum(namespace: &str, name: &str) -> Self {
        Self::new(namespace, name, "Maximum")
    }

    /// The smallest value in five minutes.
    pub fn minimum(namespace: &str, name: &str) -> Self {
        Self::new(namespace, name, "Minimum")
    }

    /// A percentile over five minutes.
    pub fn percentile(namespace: &str, name: &str, percent: u8) -> Self {
        Self::new(namespace, name, &format!("p{percent}"))
    }

    /// Of this, by a dimension.
    #[must_use]
    pub fn of<T>(mut self, dimension: &str, value: &Value<T>) -> Self {
        self.dimensions.push((dimension.to_owned(), value.text()));
        self
    }

    /// Of this word, by a dimension.
    #[must_use]
    pub fn by(self, dimension: &str, word: &str) -> Self {
        self.of(dimension, &Value::<String>::from(word))
    }

    /// Over so many seconds.
    #[must_use]
    pub fn over(mut self, seconds: i64) -> Self {
        self.period = seconds;
        self
    }

    /// As an alarm names it.
    pub(super) fn stat(&self) -> MetricStat {
        let mut metric = cloudwatch::Metric::new(&*self.namespace, &*self.name);
        if !self.dimensions.is_empty() {
            let dimensions = self.dimensions.iter().map(|(name, value)| Dimension::new(&**name, value));
            metric = metric.dimensions(dimensions.collect::<Vec<_>>());
        }
        MetricStat::new(metric, self.period, &*self.statistic)
    }
}
