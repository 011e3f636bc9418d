//! The alarms of the design that the infrastructure was made from, a line and an assert each.

use serde_json::json;

use crate::support::{reference, template};

/// Name, threshold in the unit of the expression, expression, and what is compared with what.
#[test]
fn cloudwatch_alarms() {
    let alarm = |name: &str| template().matching("AWS::CloudWatch::Alarm", &json!({ "AlarmName": name }));
    let metric = |name: &str, id: &str| {
        let queries = alarm(name).property("/Metrics");
        let query = queries.as_array().into_iter().flatten().find(|query| query["Id"] == id).cloned();
        query.unwrap_or_else(|| panic!("{name} has no {id}"))["MetricStat"].clone()
    };
    let of = |name: &str, statistic: &str, dimensions: &[(&str, &str)]| {
        let mut metric = json!({ "Namespace": "ClaudeCodeProxy", "MetricName": name });
        if !dimensions.is_empty() {
            let named = |(name, value): &(&str, &str)| json!({ "Name": name, "Value": value });
            metric["Dimensions"] = dimensions.iter().map(named).collect();
        }
        json!({ "Metric": metric, "Period": 300, "Stat": statistic })
    };
    let guarded = |name: &str, expression: &str, threshold: f64| {
        let alarm = alarm(name);
        assert_eq!(alarm.property("/Metrics/0/Expression"), expression, "{name}: condition: RequestCount >= 10");
        assert_eq!(alarm.property("/Threshold"), threshold, "{name}: threshold");
        assert_eq!(alarm.property("/ComparisonOperator"), "GreaterThanThreshold", "{name}: threshold");
        assert_eq!(alarm.property("/DatapointsToAlarm"), 3, "{name}: datapoints: 3 of 5");
        assert_eq!(alarm.property("/EvaluationPeriods"), 5, "{name}: datapoints: 3 of 5");
        let topic = json!([reference("Alerts/Resource")]);
        assert_eq!(alarm.property("/AlarmActions"), topic, "{name}: action: SNS notification");
    };
    let percent = |part: &str| format!("IF(requests >= 10, 100 * {part} / requests, 0)");

    for (name, provider, threshold) in [("HighErrorRate-Plan", "plan", 5.0), ("HighErrorRate-Bedrock", "bedrock", 1.0)]
    {
        guarded(name, &percent("errors"), threshold);
        let by_provider = [("Provider", provider)];
        assert_eq!(metric(name, "errors"), of("ErrorCount", "Sum", &by_provider), "ErrorCount (Provider={provider})");
        assert_eq!(
            metric(name, "requests"),
            of("RequestCount", "Sum", &by_provider),
            "RequestCount (Provider={provider})"
        );
    }
    for (name, provider, threshold) in [("HighLatency-Plan", "plan", 500.0), ("HighLatency-Bedrock", "bedrock", 1000.0)]
    {
        guarded(name, "IF(requests >= 10, p95, 0)", threshold);
        let by_provider = [("Provider", provider)];
        assert_eq!(
            metric(name, "p95"),
            of("RequestLatency", "p95", &by_provider),
            "RequestLatency p95 (Provider={provider})"
        );
        assert_eq!(metric(name, "requests"), of("RequestCount", "Sum", &by_provider), "RequestCount >= 10");
    }
    guarded("HighFallbackRate", &percent("fallbacks"), 10.0);
    assert_eq!(metric("HighFallbackRate", "fallbacks"), of("FallbackCount", "Sum", &[]), "FallbackCount");

    let unhealthy = alarm("UnhealthyTasks");
    let healthy = metric("UnhealthyTasks", "value");
    assert_eq!(healthy["Metric"]["MetricName"], "HealthyHostCount", "metric: HealthyHostCount");
    assert_eq!(unhealthy.property("/ComparisonOperator"), "LessThanThreshold", "threshold: < 2");
    assert_eq!(unhealthy.property("/Threshold"), 2.0, "threshold: < 2");
    assert_eq!(healthy["Period"], 60, "period: 1 minute");
    let critical = json!([reference("Critical/Resource")]);
    assert_eq!(unhealthy.property("/AlarmActions"), critical, "action: SNS notification (critical)");
}
