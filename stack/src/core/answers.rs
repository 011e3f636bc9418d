//! Values for the parameters of a template, and what follows from them: which conditions hold, what a property is.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

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
                let fields: Map<_, _> =
                    fields.iter().map(|(name, value)| (name.clone(), self.resolve(value))).collect();
                computed(&fields).unwrap_or(Json::Object(fields))
            }
            _ => value.clone(),
        }
    }
}

/// The value of a function of texts whose arguments are all known.
fn computed(fields: &Map<String, Json>) -> Option<Json> {
    let (name, arguments) = fields.iter().next().filter(|_| fields.len() == 1)?;
    let [first, second] = arguments.as_array()?.as_slice() else { return None };
    match name.as_str() {
        "Fn::Join" => {
            let parts: Option<Vec<_>> = second.as_array()?.iter().map(Json::as_str).collect();
            Some(Json::from(parts?.join(first.as_str()?)))
        }
        "Fn::Split" => Some(second.as_str()?.split(first.as_str()?).map(Json::from).collect()),
        "Fn::Select" => second.as_array()?.get(text(first).parse::<usize>().ok()?).cloned(),
        _ => None,
    }
}

/// CloudFormation compares parameters as text.
pub(super) fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn functions_of_what_is_known_are_computed_and_others_stay() {
        let answers =
            Answers::new([("Networks".to_owned(), json!("10.0.0.0/8,192.168.0.0/16"))].into(), BTreeMap::new());
        let second = json!({ "Fn::Select": [1, { "Fn::Split": [",", { "Ref": "Networks" }] }] });
        assert_eq!(answers.resolve(&second), json!("192.168.0.0/16"));
        let image =
            json!({ "Fn::Join": ["@", [{ "Fn::GetAtt": ["Images", "RepositoryUri"] }, { "Ref": "Networks" }]] });
        assert_eq!(answers.resolve(&image)["Fn::Join"][1][0], json!({ "Fn::GetAtt": ["Images", "RepositoryUri"] }));
    }
}
