//! Checks of the finished template that hold for every stack: references, cycles, conditions, limits.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::graph;
use super::problem::Problem;
use super::references::{Reference, references};
use super::template::Template;

/// Looks at the finished template.
pub trait Check {
    /// Everything that is wrong.
    fn check(&self, template: &Template) -> Vec<Problem>;
}

impl<F: Fn(&Template) -> Vec<Problem>> Check for F {
    fn check(&self, template: &Template) -> Vec<Problem> {
        self(template)
    }
}

/// What CloudFormation takes at the most.
const LIMITS: [(&str, usize); 4] = [("resources", 500), ("parameters", 200), ("outputs", 200), ("conditions", 500)];

/// The checks that every stack has.
pub(super) fn all(template: &Template) -> Vec<Problem> {
    [dangling(template), graph::cycles(template), unconditional(template), limits(template)].concat()
}

/// References to what the template does not have.
fn dangling(template: &Template) -> Vec<Problem> {
    let known = |reference: &Reference| match reference {
        Reference::To(name) => {
            name.starts_with("AWS::") || template.resources.contains_key(name) || template.parameters.contains_key(name)
        }
        Reference::Attribute(name, _) => template.resources.contains_key(name),
        Reference::Condition(name) => template.conditions.contains_key(name),
    };
    let mut problems = Vec::new();
    for (origin, body) in template.bodies() {
        // One mistake is told once, however often the value is used.
        let unknown: BTreeSet<_> = references(&body).into_iter().filter(|reference| !known(reference)).collect();
        problems.extend(unknown.into_iter().map(|reference| {
            Problem::at(
                origin,
                format!("refers to {reference}, which this stack does not have; declare it or pass its value in as a parameter"),
            )
        }));
    }
    for resource in template.resources.values() {
        for name in resource.depends_on.iter().filter(|name| !template.resources.contains_key(*name)) {
            problems.push(Problem::at(
                &resource.origin,
                format!("depends on `{name}`, which this stack does not have; remove the dependency or declare it"),
            ));
        }
        if let Some(name) = resource.condition.as_ref().filter(|name| !template.conditions.contains_key(*name)) {
            problems.push(Problem::at(
                &resource.origin,
                format!("exists under `{name}`, which is no condition; declare it"),
            ));
        }
    }
    problems
}

/// References from what always exists to what exists only sometimes.
fn unconditional(template: &Template) -> Vec<Problem> {
    let resources = template
        .resources
        .values()
        .map(|resource| (&resource.origin, resource.condition.as_deref(), Json::Object(resource.properties.clone())));
    let outputs = template.outputs.values().map(|it| (&it.origin, it.body["Condition"].as_str(), it.body.clone()));
    let mut problems = Vec::new();
    for (origin, condition, body) in resources.chain(outputs) {
        for target in graph::unguarded(&body) {
            let Some(other) = template.resources.get(&target) else { continue };
            if other.condition.is_some() && other.condition.as_deref() != condition {
                problems.push(Problem::at(
                    origin,
                    format!(
                        "refers to {}, which exists only under the condition `{}`; use `Value::when` or the same condition",
                        other.origin,
                        other.condition.as_deref().unwrap_or_default()
                    ),
                ));
            }
        }
    }
    problems
}

fn limits(template: &Template) -> Vec<Problem> {
    let counts =
        [template.resources.len(), template.parameters.len(), template.outputs.len(), template.conditions.len()];
    LIMITS
        .iter()
        .zip(counts)
        .filter(|((_, limit), count)| count > limit)
        .map(|((what, limit), count)| {
            Problem::everywhere(format!("{count} {what}, and CloudFormation takes {limit}; split the stack"))
        })
        .collect()
}
