//! Alarms that stay quiet where there is too little traffic to judge.

use crate::cfn::cloudwatch::{self, ComparisonOperator, MetricDataQuery, TreatMissingData};
use crate::core::{Handle, Scope, Value};

use super::{Metric, Topic};

/// Below so many requests in a period no ratio and no percentile means anything.
const FEWEST_REQUESTS: u32 = 10;

/// An alarm. Defaults: five-minute periods, three of five; no data is no alarm; tells the topic when it goes and when it is over.
#[derive(Clone)]
pub struct Alarm {
    /// The way out.
    pub handle: Handle<cloudwatch::Alarm>,
}

/// On which side of its threshold an alarm goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Crosses {
    /// Above.
    Above(f64),
    /// At or above.
    Reaches(f64),
    /// Below.
    Below(f64),
}

impl Alarm {
    /// More than so many percent of the requests, once there are ten in a period.
    #[track_caller]
    pub fn ratio(
        scope: &Scope,
        name: &str,
        (id, part): (&str, &Metric),
        requests: &Metric,
        percent: f64,
        topic: &Topic,
    ) -> Self {
        let description =
            format!("More than {percent} % {id}, in 3 of 5 periods of 5 minutes with at least 10 requests");
        let expression = format!("IF(requests >= {FEWEST_REQUESTS}, 100 * {id} / requests, 0)");
        Self::guarded(
            scope,
            name,
            &description,
            (&expression, "%"),
            [(id, part), ("requests", requests)],
            percent,
            topic,
        )
    }

    /// A percentile above so many milliseconds, once there are ten requests in a period.
    #[track_caller]
    pub fn latency(
        scope: &Scope,
        name: &str,
        (id, latency): (&str, &Metric),
        requests: &Metric,
        ms: f64,
        topic: &Topic,
    ) -> Self {
        let description = format!("{id} above {ms} ms, in 3 of 5 periods of 5 minutes with at least 10 requests");
        let expression = format!("IF(requests >= {FEWEST_REQUESTS}, {id}, 0)");
        Self::guarded(
            scope,
            name,
            &description,
            (&expression, "ms"),
            [(id, latency), ("requests", requests)],
            ms,
            topic,
        )
    }

    /// Fewer healthy tasks than there must be, for three minutes; also where nobody says how many there are.
    #[track_caller]
    pub fn health(scope: &Scope, name: &str, healthy: &Metric, fewest: u8, topic: &Topic) -> Self {
        let description = format!("Fewer than {fewest} healthy tasks for 3 minutes");
        let below = Crosses::Below(fewest.into());
        let alarm = Self::on(scope, name, &description, &healthy.clone().over(60), below, topic);
        alarm.after(3).silence_is_alarming();
        alarm
    }

    #[track_caller]
    fn guarded(
        scope: &Scope,
        name: &str,
        description: &str,
        (expression, unit): (&str, &str),
        metrics: [(&str, &Metric); 2],
        threshold: f64,
        topic: &Topic,
    ) -> Self {
        let label = format!("{name} ({unit})");
        let mut queries = vec![MetricDataQuery::new("guarded").expression(expression).label(label).return_data(true)];
        queries
            .extend(metrics.map(|(id, metric)| MetricDataQuery::new(id).metric_stat(metric.stat()).return_data(false)));
        Self::declare(scope, name, description, queries, Crosses::Above(threshold), topic)
    }

    /// A metric that crosses a threshold in three of five periods.
    #[track_caller]
    pub fn on(scope: &Scope, name: &str, description: &str, metric: &Metric, crosses: Crosses, topic: &Topic) -> Self {
        let query = MetricDataQuery::new("value").metric_stat(metric.stat()).return_data(true);
        Self::declare(scope, name, description, vec![query], crosses, topic)
    }

    #[track_caller]
    fn declare(
        scope: &Scope,
        name: &str,
        description: &str,
        queries: Vec<MetricDataQuery>,
        crosses: Crosses,
        topic: &Topic,
    ) -> Self {
        let (comparison, threshold) = match crosses {
            Crosses::Above(threshold) => (ComparisonOperator::GreaterThanThreshold, threshold),
            Crosses::Reaches(threshold) => (ComparisonOperator::GreaterThanOrEqualToThreshold, threshold),
            Crosses::Below(threshold) => (ComparisonOperator::LessThanThreshold, threshold),
        };
        let alarm = cloudwatch::Alarm::new(comparison, 5, threshold)
            .alarm_actions([topic.arn()])
            .ok_actions([topic.arn()])
            .alarm_description(description)
            .alarm_name(Value::literal(name))
            .datapoints_to_alarm(3)
            .metrics(queries)
            .treat_missing_data(TreatMissingData::NotBreaching);
        Self { handle: scope.child("Alarms").add(name, alarm) }
    }

    /// Goes after so many periods in a row instead of three of five.
    pub fn after(&self, periods: i64) -> &Self {
        self.handle.edit(|alarm| {
            alarm.evaluation_periods = periods.into();
            alarm.datapoints_to_alarm = Some(periods.into());
        });
        self
    }

    /// Goes also where there is no data, because silence is what it is about.
    pub fn silence_is_alarming(&self) -> &Self {
        self.handle.edit(|alarm| alarm.treat_missing_data = Some(TreatMissingData::Breaching));
        self
    }
}
