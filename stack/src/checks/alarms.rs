//! Alarms: what CloudWatch would refuse, or take and never go.

use serde_json::Value as Json;

use super::every;
use crate::core::{Deployment, Problem, Resource};
use crate::evaluator::Expression;

/// An alarm looks back a day at the most, and a week with periods of an hour and more.
const LONGEST: [u64; 2] = [86_400, 604_800];

pub(super) fn check(deployment: &Deployment<'_>) -> Vec<Problem> {
    let alarms = every(deployment, "AWS::CloudWatch::Alarm");
    alarms.flat_map(|(_, alarm)| mistakes(alarm).into_iter().map(|told| Problem::at(&alarm.origin, told))).collect()
}

fn mistakes(alarm: &Resource) -> Vec<String> {
    let queries = alarm.property("/Metrics");
    let queries = queries.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut told: Vec<_> = queries.iter().flat_map(|query| expression(query, queries)).collect();
    let returned: Vec<_> = queries.iter().filter(|query| query["ReturnData"] != false).collect();
    if !queries.is_empty() && returned.len() != 1 {
        let ids: Vec<_> = returned.iter().filter_map(|query| query["Id"].as_str()).collect();
        told.push(format!(
            "{} queries return data ({}), and an alarm looks at exactly one; set `return_data(false)` on the others",
            ids.len(),
            ids.join(", ")
        ));
    }
    let whole = |pointer: &str| alarm.property(pointer).as_u64();
    let periods = whole("/EvaluationPeriods").unwrap_or(1);
    if let Some(wanted) = whole("/DatapointsToAlarm").filter(|wanted| *wanted > periods) {
        told.push(format!(
            "DatapointsToAlarm is {wanted} and EvaluationPeriods {periods}, so that it can never go; ask for {periods} at the most"
        ));
    }
    for period in queries.iter().filter_map(|query| query["MetricStat"]["Period"].as_u64()).chain(whole("/Period")) {
        let longest = LONGEST[usize::from(period >= 3_600)];
        if period * periods > longest {
            told.push(format!(
                "it looks back {periods} periods of {period} s, and CloudWatch at most {longest} s; take fewer"
            ));
        }
    }
    told.sort_unstable();
    told.dedup();
    told
}

fn expression(query: &Json, queries: &[Json]) -> Vec<String> {
    let Some(text) = query["Expression"].as_str() else { return Vec::new() };
    if text.contains("SEARCH") {
        return vec![format!("`{text}` searches, which an alarm cannot; name each metric")];
    }
    match Expression::parse(text) {
        Err(told) => vec![format!("{told}; correct the expression")],
        Ok(expression) => {
            let known = |id: &&&str| !queries.iter().any(|query| query["Id"] == ***id);
            let ids = expression.ids();
            let unknown = ids.iter().filter(known);
            unknown.map(|id| format!("`{text}` looks at `{id}`, which no query has as its id; declare it")).collect()
        }
    }
}
