//! A template with values for its parameters: which conditions hold, and which resources a deployment then has.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::answers::{Answers, text};
use super::template::{Resource, Template};

/// What a deployment with certain parameters would be.
#[derive(Clone, Debug)]
pub struct Deployment<'a> {
    template: &'a Template,
    answers: Answers,
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
        let conditions = template.conditions.iter().map(|(name, entry)| (name.clone(), entry.body.clone())).collect();
        Ok(Self { template, answers: Answers::new(values, conditions) })
    }

    /// The template.
    pub fn template(&self) -> &'a Template {
        self.template
    }

    /// The values, and the conditions that they decide.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// The value of a parameter as text.
    pub fn parameter(&self, name: &str) -> String {
        self.answers.parameter(name)
    }

    /// Whether a condition holds.
    pub fn holds(&self, condition: &str) -> bool {
        self.answers.holds(condition)
    }

    /// The resources that exist, with their logical ids.
    pub fn resources(&self) -> impl Iterator<Item = (&'a str, &'a Resource)> {
        let all = self.template.resources.iter().map(|(id, resource)| (id.as_str(), resource));
        all.filter(|(_, resource)| resource.condition.as_ref().is_none_or(|condition| self.holds(condition)))
    }

    /// A value with parameters and conditions put in; what only AWS knows stays as it is.
    pub fn resolve(&self, value: &Json) -> Json {
        self.answers.resolve(value)
    }
}

/// The range of numbers that a value is not in.
fn missed(parameter: &Json, value: &str) -> Option<String> {
    let (smallest, largest) = (parameter["MinValue"].as_f64()?, parameter["MaxValue"].as_f64()?);
    let within = value.parse().is_ok_and(|number: f64| (smallest..=largest).contains(&number));
    (!within).then(|| format!("a number from {smallest} to {largest}"))
}
