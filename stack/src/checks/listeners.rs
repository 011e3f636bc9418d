//! Listeners: two rules at one place, and restrictions that restrict nothing.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{every, target};
use crate::core::{Deployment, Problem, Resource};

pub(super) fn check(deployment: &Deployment<'_>) -> Vec<Problem> {
    [priorities(deployment), restrictions(deployment), sizes(deployment)].concat()
}

fn rules<'a>(deployment: &Deployment<'a>) -> impl Iterator<Item = &'a Resource> {
    every(deployment, "AWS::ElasticLoadBalancingV2::ListenerRule").map(|(_, rule)| rule)
}

fn priorities(deployment: &Deployment<'_>) -> Vec<Problem> {
    let mut taken: BTreeMap<(String, String), &Resource> = BTreeMap::new();
    let mut problems = Vec::new();
    for rule in rules(deployment) {
        let place = (rule.property("/ListenerArn").to_string(), rule.property("/Priority").to_string());
        let priority = place.1.clone();
        if let Some(other) = taken.insert(place, rule) {
            let told = format!(
                "its priority {priority} is already that of {}; each rule of a listener wants its own",
                other.origin
            );
            problems.push(Problem::at(&rule.origin, told));
        }
    }
    problems
}

/// A rule for some addresses is worth nothing where the same paths are forwarded for all the others.
fn restrictions(deployment: &Deployment<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for rule in rules(deployment).filter(|rule| restricted(rule)) {
        let listener = rule.property("/ListenerArn");
        let default = target(&listener).and_then(|id| deployment.template().resources.get(id));
        if default.is_some_and(|listener| forwards(&listener.property("/DefaultActions"))) {
            let told = "it lets some networks in, and the default action of its listener forwards everybody; \
                        answer with a fixed response by default";
            problems.push(Problem::at(&rule.origin, told));
        }
        for path in paths(rule) {
            let open = rules(deployment).find(|other| {
                !restricted(other)
                    && other.property("/ListenerArn") == listener
                    && forwards(&other.property("/Actions"))
                    && paths(other).iter().any(|pattern| covers(pattern, &path))
            });
            if let Some(open) = open {
                let told = format!(
                    "it lets some networks in to `{path}`, and {} forwards it for everybody; narrow that one",
                    open.origin
                );
                problems.push(Problem::at(&rule.origin, told));
            }
        }
    }
    problems
}

/// A rule takes so many values, over all of its conditions.
const VALUES: usize = 5;

fn sizes(deployment: &Deployment<'_>) -> Vec<Problem> {
    let values = |condition: &Json| {
        let lists = condition.as_object().into_iter().flat_map(|fields| fields.values());
        lists.filter_map(|list| list["Values"].as_array()).map(Vec::len).sum::<usize>()
    };
    let too_many = rules(deployment).filter_map(|rule| {
        let count = conditions(rule).iter().map(values).sum::<usize>();
        let told = format!("its conditions have {count} values, and a rule takes {VALUES}; make several rules of it");
        (count > VALUES).then(|| Problem::at(&rule.origin, told))
    });
    too_many.collect()
}

fn conditions(rule: &Resource) -> Vec<Json> {
    rule.property("/Conditions").as_array().cloned().unwrap_or_default()
}

fn restricted(rule: &Resource) -> bool {
    conditions(rule).iter().any(|condition| condition["Field"] == "source-ip")
}

fn forwards(actions: &Json) -> bool {
    actions.as_array().into_iter().flatten().any(|action| action["Type"] == "forward")
}

fn paths(rule: &Resource) -> Vec<String> {
    let patterns = |condition: Json| condition["PathPatternConfig"]["Values"].as_array().cloned().unwrap_or_default();
    let patterns = conditions(rule).into_iter().flat_map(patterns);
    patterns.filter_map(|pattern| pattern.as_str().map(str::to_owned)).collect()
}

/// Whether a pattern matches all that another one matches; it is enough to know `*` at an end.
fn covers(pattern: &str, other: &str) -> bool {
    pattern == other || pattern.strip_suffix('*').is_some_and(|beginning| other.starts_with(beginning))
}
