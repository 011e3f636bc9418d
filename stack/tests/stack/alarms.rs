//! Each alarm goes when something is wrong, and stays quiet when nothing is.

use serde_json::Value as Json;
use stack::evaluator::State::{self, Alarm, InsufficientData, Ok};

use crate::support::{reference, template};
use crate::traffic::{
    IDLE, Published, SILENT, Served, alarm, goes, going, minutes, once_a_period, plan_errors, states,
};

/// The states of an alarm over one metric that has this value in each of its periods; none: it is missing.
fn over(name: &str, period_minutes: usize, values: &[Option<f64>]) -> Vec<State> {
    let minutes: Vec<_> =
        values.iter().flat_map(|value| [vec![*value], vec![None; period_minutes - 1]].concat()).collect();
    alarm(name).states(|_| minutes.iter().map(|value| value.iter().copied().collect()).collect())
}

#[test]
fn no_traffic_is_no_alarm() {
    assert_eq!(going(&minutes(60, IDLE)), [""; 0]);
}

#[test]
fn where_nothing_runs_the_tasks_are_alarming_and_nothing_else() {
    assert_eq!(going(&minutes(60, SILENT)), ["UnhealthyTasks"]);
}

#[test]
fn nine_requests_that_all_fail_are_too_few_to_judge() {
    let nine = |plan, bedrock| Published { plan, bedrock, fallbacks: 9, ..IDLE };
    let failed = Served { requests: 9, errors: 9, slow: 9 };
    assert_eq!(going(&once_a_period(12, nine(failed, failed))), [""; 0]);
    let ten = Served { requests: 10, errors: 10, slow: 10 };
    let expected =
        ["HighErrorRate-Bedrock", "HighErrorRate-Plan", "HighFallbackRate", "HighLatency-Bedrock", "HighLatency-Plan"];
    assert_eq!(going(&once_a_period(12, nine(ten, ten))), expected, "and ten are enough");
}

#[test]
fn an_error_rate_is_alarming_above_its_threshold_and_not_at_it() {
    assert!(!goes("HighErrorRate-Plan", &minutes(60, plan_errors(1))), "5 %");
    assert!(goes("HighErrorRate-Plan", &minutes(60, plan_errors(2))), "10 %");
    let bedrock = |errors| Published { bedrock: Served { requests: 100, errors, slow: 0 }, ..IDLE };
    assert!(!goes("HighErrorRate-Bedrock", &minutes(60, bedrock(1))), "1 %");
    assert!(goes("HighErrorRate-Bedrock", &minutes(60, bedrock(2))), "2 %");
}

#[test]
fn errors_of_one_provider_do_not_alarm_about_the_other() {
    assert_eq!(going(&minutes(60, plan_errors(20))), ["HighErrorRate-Plan"]);
}

#[test]
fn it_takes_three_bad_periods_of_five() {
    let (good, bad) = (minutes(5, plan_errors(0)), minutes(5, plan_errors(10)));
    let twice = [&good[..], &bad, &good, &bad, &good, &good, &good].concat();
    assert!(!goes("HighErrorRate-Plan", &twice));
    let thrice = [&good[..], &bad, &good, &bad, &good, &bad].concat();
    assert_eq!(states("HighErrorRate-Plan", &thrice), [Ok, Ok, Ok, Ok, Ok, Alarm]);
    let over = [&bad[..], &bad, &bad, &good, &good, &good].concat();
    assert_eq!(states("HighErrorRate-Plan", &over), [Ok, Ok, Alarm, Alarm, Alarm, Ok], "and it ends by itself");
}

#[test]
fn a_deployment_is_no_alarm() {
    // One of two tasks is replaced after the other: a minute with requests that break off, and none with less than two tasks.
    let breaking_off = Published { plan: Served { requests: 20, errors: 10, slow: 5 }, ..IDLE };
    let deployed = [
        minutes(10, plan_errors(0)),
        minutes(1, breaking_off),
        minutes(4, plan_errors(0)),
        minutes(1, breaking_off),
        minutes(30, plan_errors(0)),
    ]
    .concat();
    assert_eq!(going(&deployed), [""; 0]);
    // A task is gone for two minutes until its successor is healthy.
    let one = Published { healthy: Some(1), ..plan_errors(0) };
    assert_eq!(going(&[minutes(10, plan_errors(0)), minutes(2, one), minutes(10, plan_errors(0))].concat()), [""; 0]);
}

#[test]
fn fewer_than_two_tasks_for_three_minutes_are_alarming() {
    let one = Published { healthy: Some(1), ..IDLE };
    let states = states("UnhealthyTasks", &[minutes(5, IDLE), minutes(4, one), minutes(3, IDLE)].concat());
    assert_eq!(states, [Ok, Ok, Ok, Ok, Ok, Ok, Ok, Alarm, Alarm, Ok, Ok, Ok]);
}

#[test]
fn sparse_requests_are_no_alarm_whatever_becomes_of_them() {
    let one = Published { plan: Served { requests: 1, errors: 1, slow: 1 }, fallbacks: 1, ..IDLE };
    assert_eq!(going(&once_a_period(24, one)), [""; 0]);
    // Nor are they while a task restarts between them.
    let restarting: Vec<_> = once_a_period(24, one)
        .into_iter()
        .enumerate()
        .map(|(at, minute)| if at % 7 == 3 { Published { up: false, ..IDLE } } else { minute })
        .collect();
    assert_eq!(going(&restarting), [""; 0]);
}

#[test]
fn a_storm_of_plan_limits_is_told_as_fallbacks_and_not_as_errors() {
    let storm = Published {
        plan: Served { requests: 100, errors: 0, slow: 0 },
        bedrock: Served { requests: 90, errors: 0, slow: 0 },
        fallbacks: 90,
        ..IDLE
    };
    assert_eq!(going(&minutes(60, storm)), ["HighFallbackRate"]);
    let some = Published { plan: Served { requests: 100, ..Served::default() }, fallbacks: 10, ..IDLE };
    assert_eq!(going(&minutes(60, some)), [""; 0], "one in ten falls back every day");
    assert_eq!(
        going(&[minutes(30, some), minutes(10, storm), minutes(30, some)].concat()),
        [""; 0],
        "and so do all for ten minutes"
    );
}

#[test]
fn latency_is_that_of_one_request_in_twenty() {
    let slow = |slow| Published { plan: Served { requests: 100, errors: 0, slow }, ..IDLE };
    assert!(!goes("HighLatency-Plan", &minutes(60, slow(5))));
    assert!(goes("HighLatency-Plan", &minutes(60, slow(6))));
}

#[test]
fn silence_after_an_alarm_ends_it_but_where_silence_is_the_alarm() {
    let silent = [minutes(15, plan_errors(20)), minutes(30, SILENT)].concat();
    assert_eq!(states("HighErrorRate-Plan", &silent).last(), Some(&Ok));
    assert_eq!(states("UnhealthyTasks", &silent).last(), Some(&Alarm));
}

/// Every other alarm, with a value that it bears and one that it does not.
#[test]
fn what_is_measured_directly_has_its_threshold() {
    for (name, period, fine, wrong) in [
        ("CertificateExpiry", 1_440, 21.0, 20.0),
        ("CircuitOpen", 5, 0.0, 1.0),
        ("DatabaseCapacity", 5, 90.0, 91.0),
        ("DatabaseConnections", 5, 150.0, 151.0),
        ("LoadBalancer5xx", 5, 10.0, 11.0),
        ("NatPortErrorsA", 5, 0.0, 1.0),
        ("NatPortErrorsB", 5, 0.0, 1.0),
        ("RejectedConnections", 5, 0.0, 1.0),
        ("Target5xx", 5, 25.0, 26.0),
        ("UsageJournalBacklog", 5, 16_777_216.0, 16_777_217.0),
    ] {
        assert!(!over(name, period, &[Some(fine); 6]).contains(&Alarm), "{name}");
        assert!(over(name, period, &[Some(wrong); 6]).contains(&Alarm), "{name}");
        assert!(
            !over(name, period, &[None; 6]).contains(&Alarm),
            "{name}: AWS publishes nothing where nothing happens"
        );
        let once = [Some(fine), Some(fine), Some(wrong), Some(fine), Some(fine), None];
        assert_eq!(over(name, period, &once).contains(&Alarm), name == "CertificateExpiry", "{name}: once is chance");
    }
}

/// A metric under other dimensions is one that never has a value.
#[test]
fn what_aws_publishes_is_looked_at_under_its_dimensions() {
    for (_, alarm) in template().of_type("AWS::CloudWatch::Alarm") {
        let queries = alarm.property("/Metrics");
        for query in queries.as_array().expect("queries") {
            let metric = &query["MetricStat"]["Metric"];
            let expected: &[&str] = match (metric["Namespace"].as_str(), metric["MetricName"].as_str()) {
                (Some("AWS/ApplicationELB"), Some("HealthyHostCount")) => &["LoadBalancer", "TargetGroup"],
                (Some("AWS/ApplicationELB"), _) => &["LoadBalancer"],
                (Some("AWS/CertificateManager"), _) => &["CertificateArn"],
                (Some("AWS/NATGateway"), _) => &["NatGatewayId"],
                (Some("AWS/RDS"), _) => &["DBClusterIdentifier"],
                _ => continue,
            };
            let dimensions = metric["Dimensions"].as_array().expect("dimensions");
            let names: Vec<_> = dimensions.iter().filter_map(|it| it["Name"].as_str()).collect();
            assert_eq!(names, expected, "{}", alarm.origin);
        }
    }
}

#[test]
fn every_alarm_tells_somebody() {
    for (_, alarm) in template().of_type("AWS::CloudWatch::Alarm") {
        let topic = if alarm.origin.path == "Alarms/UnhealthyTasks" { "Critical" } else { "Alerts" };
        let topic = Json::from(vec![reference(&format!("{topic}/Resource"))]);
        assert_eq!(alarm.property("/AlarmActions"), topic, "{}", alarm.origin);
        assert_eq!(alarm.property("/OKActions"), topic, "{}", alarm.origin);
    }
}

#[test]
fn every_alarm_is_asked_here_and_none_starts_without_a_word() {
    let names: Vec<Json> =
        template().of_type("AWS::CloudWatch::Alarm").map(|(_, alarm)| alarm.property("/AlarmName")).collect();
    assert_eq!(names.len(), 16, "a new alarm wants a test of when it goes: {names:?}");
    for name in names.iter().filter_map(Json::as_str) {
        let missing = over(name, 1_440, &[None; 2]);
        assert!(!missing.contains(&InsufficientData), "{name}");
    }
}
