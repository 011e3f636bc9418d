//! What an alarm says about data: CloudWatch's semantics of metric math, missing points and M out of N, without CloudWatch.
//!
//! One thing is simpler: an alarm is looked at when a period ends, where CloudWatch looks every minute.

mod expression;
mod points;
mod reader;
mod state;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::core::Resource;
pub use expression::Expression;
pub use points::{Minute, points};
pub use state::{Missing, State, state};

/// How many points more than its evaluation periods an alarm looks back, where points are missing.
const LOOKS_BACK_FURTHER: usize = 2;

/// An alarm that can be asked.
#[derive(Clone, Debug)]
pub struct Alarm {
    queries: BTreeMap<String, Query>,
    returned: String,
    threshold: f64,
    comparison: String,
    periods: usize,
    breaches: usize,
    missing: Missing,
    period: usize,
}

#[derive(Clone, Debug)]
enum Query {
    Metric { metric: Json, statistic: String },
    Expression(Expression),
}

impl Alarm {
    /// The alarm of a template.
    ///
    /// # Errors
    /// What of it cannot be evaluated, such as a function that is not known here.
    pub fn of(resource: &Resource) -> Result<Self, String> {
        let number =
            |pointer: &str| resource.property(pointer).as_f64().ok_or_else(|| format!("{pointer} is no number"));
        let text = |pointer: &str| resource.property(pointer).as_str().unwrap_or_default().to_owned();
        let (mut queries, mut returned, mut period) = (BTreeMap::new(), Vec::new(), None);
        for query in resource.property("/Metrics").as_array().into_iter().flatten() {
            let id = query["Id"].as_str().unwrap_or_default().to_owned();
            if query["ReturnData"] == true {
                returned.push(id.clone());
            }
            let stat = &query["MetricStat"];
            let seconds = stat["Period"].as_u64().or(query["Period"].as_u64());
            if seconds.is_some() && period.is_some() && seconds != period {
                return Err("its metrics have different periods".to_owned());
            }
            period = period.or(seconds);
            let query = match query["Expression"].as_str() {
                Some(expression) => Query::Expression(Expression::parse(expression)?),
                None => Query::Metric {
                    metric: stat["Metric"].clone(),
                    statistic: stat["Stat"].as_str().unwrap_or_default().to_owned(),
                },
            };
            queries.insert(id, query);
        }
        let [returned] = <[String; 1]>::try_from(returned).map_err(|all| format!("it returns {all:?}, not one"))?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small whole numbers, by the schema"
        )]
        let count = |number: f64| number as usize;
        let periods = count(number("/EvaluationPeriods")?);
        Ok(Self {
            queries,
            returned,
            threshold: number("/Threshold")?,
            comparison: text("/ComparisonOperator"),
            periods,
            breaches: number("/DatapointsToAlarm").map_or(periods, count),
            missing: Missing::parse(&text("/TreatMissingData"))?,
            period: usize::try_from(period.unwrap_or(60) / 60).unwrap_or(1).max(1),
        })
    }

    /// Its state at the end of every period, beginning with the first; `samples` gives the minutes of a metric, described as
    /// in the template.
    pub fn states(&self, samples: impl Fn(&Json) -> Vec<Minute>) -> Vec<State> {
        let series: BTreeMap<&str, Vec<Option<f64>>> = self
            .queries
            .iter()
            .filter_map(|(id, query)| match query {
                Query::Metric { metric, statistic } => {
                    Some((id.as_str(), points(&samples(metric), self.period, statistic)))
                }
                Query::Expression(_) => None,
            })
            .collect();
        let length = series.values().map(Vec::len).max().unwrap_or_default();
        let values: Vec<_> = (0..length).map(|at| self.value(&self.returned, at, &series, 0)).collect();
        let mut state_before = State::InsufficientData;
        (1..=length)
            .map(|end| {
                let range = &values[end.saturating_sub(self.periods + LOOKS_BACK_FURTHER)..end];
                let breaching: Vec<_> = range.iter().map(|value| value.map(|value| self.is_beyond(value))).collect();
                state_before = state(&breaching, self.periods, self.breaches, self.missing, state_before);
                state_before
            })
            .collect()
    }

    /// The value of a query in a period. An expression may look at others, but not at itself.
    fn value(&self, id: &str, at: usize, series: &BTreeMap<&str, Vec<Option<f64>>>, depth: usize) -> Option<f64> {
        match self.queries.get(id)? {
            Query::Metric { .. } => series.get(id)?.get(at).copied().flatten(),
            Query::Expression(expression) if depth < self.queries.len() => {
                expression.value(&|id| self.value(id, at, series, depth + 1))
            }
            Query::Expression(_) => None,
        }
    }

    fn is_beyond(&self, value: f64) -> bool {
        match self.comparison.as_str() {
            "GreaterThanThreshold" => value > self.threshold,
            "GreaterThanOrEqualToThreshold" => value >= self.threshold,
            "LessThanThreshold" => value < self.threshold,
            _ => value <= self.threshold,
        }
    }
}
