//! Amazon CloudWatch: alarms and dashboards.

use super::macros::{resource, structure, words};
use super::{Arn, Name, Tag, sns};
use crate::core::Value;

words! {
    ComparisonOperator {
        GreaterThanOrEqualToThreshold = "GreaterThanOrEqualToThreshold",
        GreaterThanThreshold = "GreaterThanThreshold",
        LessThanOrEqualToThreshold = "LessThanOrEqualToThreshold",
        LessThanThreshold = "LessThanThreshold",
    }
}

words! {
    TreatMissingData { Breaching = "breaching", Ignore = "ignore", Missing = "missing", NotBreaching = "notBreaching", }
}

structure! {
    Dimension { name: Value<String>, value: Value<String>, ; }
}

structure! {
    Metric { namespace: Value<String>, metric_name: Value<String>, ; dimensions: Vec<Dimension>, }
}

structure! {
    MetricStat { metric: Metric, period: Value<i64>, stat: Value<String>, ; }
}

structure! {
    MetricDataQuery {
        id: Value<String>,
        ;
        expression: Value<String>,
        label: Value<String>,
        metric_stat: MetricStat,
        period: Value<i64>,
        return_data: Value<bool>,
    }
}

resource! {
    Alarm = "AWS::CloudWatch::Alarm" [TAGGABLE = true] {
        comparison_operator: ComparisonOperator,
        evaluation_periods: Value<i64>,
        threshold: Value<f64>,
        ;
        alarm_actions: Vec<Value<Arn<sns::Topic>>>,
        alarm_description: Value<String>,
        alarm_name: Value<Name<Alarm>>,
        datapoints_to_alarm: Value<i64>,
        metrics: Vec<MetricDataQuery>,
        ok_actions as "OKActions": Vec<Value<Arn<sns::Topic>>>,
        treat_missing_data: TreatMissingData,
        tags: Vec<Tag>,
    }
    => name: Name<Alarm>;
    arn = "Arn": Arn<Alarm>;
}

resource! {
    Dashboard = "AWS::CloudWatch::Dashboard" {
        dashboard_body: Value<String>,
        ;
        dashboard_name: Value<Name<Dashboard>>,
    }
    => name: Name<Dashboard>;
}
