//! A template with values for its parameters: which conditions hold, and which resources a deployment then has.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::template::{Resource, Template};

/// What a deployment with certain parameters would be.
#[derive(Clone, Debug)]
pub struct Deployment<'a> {
    template: &'a Template,
    values: BTreeMap<String, Json>,
}

impl<'a> Deployment<'a> {
    /// With these values, and the defaults for the other parameters.
    ///
    /// # Errors
    /// A value that is not one of those allowed, or beyond the smallest or largest, is told with its parameter.
    pub fn new(template: &'a Template, given: &[(&str, &str)]) -> Result<Self, String> {
        let default = |body: &Json| body.get("Default").cloned().unwrap_or_else(|| Json::from(""));
        let mut values: BTreeMap<_, _> =
            template.parameters.iter().map(|(name, entry)| (name.clone(), default(&entry.body))).collect();
        for (name, value) in given {
            let Some(parameter) = template.parameters.get(*name) else {
                let names: Vec<_> = template.parameters.keys().map(String::as_str).collect();
                return Err(format!("there is no parameter `{name}`; there are {}", names.join(", ")));
            };
            let allowed = parameter.body["AllowedValues"].as_array();
            if allowed.is_some_and(|allowed| !allowed.iter().any(|word| text(word) == *value)) {
                return Err(format!("`{name}` cannot be `{value}`; give one of {}", parameter.body["AllowedValues"]));
            }
            if let Some(range) = missed(&parameter.body, value) {
                return Err(format!("`{name}` cannot be `{value}`; give {range}"));
            }
            values.insert((*name).to_owned(), Json::from(*value));
        }
        Ok(Self { template, values })
    }

    /// The template.
    pub fn template(&self) -> &'a Template {
        self.template
    }

    /// The value of a parameter as text.
    pub fn parameter(&self, name: &str) -> String {
        self.values.get(name).map(text).unwrap_or_default()
    }

    /// Whether a condition holds.
    pub fn holds(&self, condition: &str) -> bool {
        self.template.conditions.get(condition).is_some_and(|entry| self.test(&entry.body))
    }

    fn test(&self, body: &Json) -> bool {
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

    /// The resources that exist, with their logical ids.
    pub fn resources(&self) -> impl Iterator<Item = (&'a str, &'a Resource)> {
        let all = self.template.resources.iter().map(|(id, resource)| (id.as_str(), resource));
        all.filter(|(_, resource)| resource.condition.as_ref().is_none_or(|condition| self.holds(condition)))
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

/// The range of numbers that a value is not in.
fn missed(parameter: &Json, value: &str) -> Option<String> {
    let (smallest, largest) = (parameter["MinValue"].as_f64()?, parameter["MaxValue"].as_f64()?);
    let within = value.parse().is_ok_and(|number: f64| (smallest..=largest).contains(&number));
    (!within).then(|| format!("a number from {smallest} to {largest}"))
}

/// CloudFormation compares parameters as text.
fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
