//! Mistakes that CloudFormation finds only when it deploys, or never, and that no validator of templates finds.
//!
//! They look at the finished template, so that they also see what was set past the typed structs. Where a value is a
//! parameter they take its default; [`of`] takes the values of a deployment.

mod alarms;
mod database;
mod health;
mod listeners;
mod tasks;

use serde_json::Value as Json;

use crate::core::{Deployment, Problem, Resource, Template};

/// Every mistake that a template has with the defaults of its parameters.
pub fn all(template: &Template) -> Vec<Problem> {
    Deployment::new(template, &[]).map_or_else(|told| vec![Problem::everywhere(told)], |deployment| of(&deployment))
}

/// Every mistake that a deployment has with its values.
pub fn of(deployment: &Deployment<'_>) -> Vec<Problem> {
    [
        alarms::check(deployment),
        listeners::check(deployment),
        health::check(deployment),
        database::check(deployment),
        tasks::check(deployment),
    ]
    .concat()
}

/// The resources of a type with their logical ids, whether they exist with these values or not.
fn every<'a>(deployment: &Deployment<'a>, type_name: &'a str) -> impl Iterator<Item = (&'a str, &'a Resource)> {
    deployment.template().of_type(type_name)
}

/// The logical id that a `Ref` or a `Fn::GetAtt` names.
fn target(value: &Json) -> Option<&str> {
    value["Ref"].as_str().or_else(|| value["Fn::GetAtt"][0].as_str())
}

/// A number, which may be written as text.
fn number(value: &Json) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}
