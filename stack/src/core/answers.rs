//! Values for the parameters of a template, and what follows from them: which conditions hold, what a property is.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// Parameters with values, and the conditions that are decided by them.
#[derive(Clone, Debug)]
pub struct Answers {
    values: BTreeMap<String, Json>,
    conditions: BTreeMap<String, Json>,
}

impl Answers {
    /// Values by the names of parameters, and the section `Conditions` of the template.
    pub fn new(values: BTreeMap<String, Json>, conditions: BTreeMap<String, Json>) -> Self {
        Self { values, conditions }
    }

    /// The value of a parameter as text; empty where there is none.
    pub fn parameter(&self, name: &str) -> String {
        self.values.get(name).map(text).unwrap_or_default()
    }

    /// Whether a condition holds.
    pub fn holds(&self, condition: &str) -> bool {
        self.conditions.get(condition).is_some_and(|body| self.test(body))
    }

    /// Whether an expression of a condition, or of an assertion, holds.
    pub fn test(&self, body: &Json) -> bool {
        let arguments = |key: &str| body.get(key).and_then(Json::as_array);
        if let Some([one, other]) = arguments("Fn::Equals").map(Vec::as_slice) {
            text(&self.resolve(one)) == text(&self.resolve(other))
        } else if let Some(tests) = arguments("Fn::Not") {
            !tests.iter().all(|test| self.test(test))
        } else if let Some(tests) = arguments("Fn::And") {
            tests.iter().all(|test| self.test(test))
        } else if let Some(tests) = arguments("Fn::Or") {
            tests.iter().any(|test| self.test(test))
        } else {
            body["Condition"].as_str().is_some_and(|name| self.holds(name))
        }
    }

    /// A value with parameters and conditions put in; what only AWS knows stays as it is.
    pub fn resolve(&self, value: &Json) -> Json {
        match value {
            Json::Array(items) => items.iter().map(|item| self.resolve(item)).collect(),
            Json::Object(fields) => {
                if let Some(value) = fields.get("Ref").and_then(Json::as_str).and_then(|name| self.values.get(name)) {
                    return value.clone();
                }
                if let Some([Json::String(condition), yes, no]) =
                    fields.get("Fn::If").and_then(Json::as_array).map(Vec::as_slice)
                {
                    return self.resolve(if self.holds(condition) { yes } else { no });
                }
                fields.iter().map(|(name, value)| (name.clone(), self.resolve(value))).collect()
            }
            _ => value.clone(),
        }
    }
}

/// CloudFormation compares parameters as text.
pub(super) fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
