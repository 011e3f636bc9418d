//! Conditions: what a deployment's parameters decide.

use serde_json::{Value as Json, json};

use super::value::Value;

/// A declared condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    name: String,
}

impl Condition {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// Its key in the template.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What a condition tests.
#[derive(Clone, Debug)]
pub struct Test(Json);

impl Test {
    /// Whether a value is this one.
    pub fn equals<T>(value: &Value<T>, other: impl Into<Json>) -> Self {
        Self::call("Fn::Equals", [value.into(), other.into()])
    }

    /// Whether a text is given.
    pub fn given<T>(value: &Value<T>) -> Self {
        Self::equals(value, "").negated()
    }

    /// Whether another condition holds.
    pub fn holds(condition: &Condition) -> Self {
        Self(json!({ "Condition": condition.name() }))
    }

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::call("Fn::Not", [self.0])
    }

    /// Whether both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::call("Fn::And", [self.0, other.0])
    }

    /// Whether one of them holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::call("Fn::Or", [self.0, other.0])
    }

    fn call(function: &str, arguments: impl Into<Vec<Json>>) -> Self {
        Self(json!({ function: arguments.into() }))
    }

    pub(super) fn into_json(self) -> Json {
        self.0
    }
}
