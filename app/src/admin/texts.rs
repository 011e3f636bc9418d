//! Each body is held to the document before its operation has it, so that what is wrong is told by the field's name. And
//! numbers and truth values are no texts: the web framework would take them for some, and an amount of money that was a
//! number has lost digits on its way.

use serde_json::Value;

use super::problem::Problem;
use super::words::one_of;
use crate::openapi::{Document, words};

/// What is wrong with a body, if that can be told here. None of its values is repeated: some are secrets.
pub(super) fn check(document: &Document, method: &str, path: &str, body: &[u8]) -> Result<(), Problem> {
    let schema = document.request_schema(method, path);
    // What is no JSON the operation refuses itself, in its own words.
    let (Some(schema), Ok(body)) = (schema, serde_json::from_slice(body)) else { return Ok(()) };
    let Some((name, problem)) = wrong(document, schema, &body) else { return Ok(()) };
    Err(Problem::unreadable(&name, problem))
}

/// The name of the first value that is wrong, and what has to be there.
fn wrong(document: &Document, schema: &serde_yaml::Value, value: &Value) -> Option<(String, String)> {
    let schema = document.resolved(schema);
    match value {
        Value::Number(_) | Value::Bool(_) => {
            let is_text = schema.get("type")?.as_str() == Some("string");
            is_text.then(|| (String::new(), "it has to be a text, in quotes".to_owned()))
        }
        Value::String(text) => {
            let values = words(schema).filter(|values| !values.contains(&text.as_str()))?;
            Some((String::new(), one_of(&values)))
        }
        Value::Array(items) => {
            let schema = schema.get("items")?;
            items.iter().find_map(|item| wrong(document, schema, item))
        }
        Value::Object(fields) => {
            let inside = fields.iter().find_map(|(name, value)| {
                let described = schema.get("properties").and_then(|properties| properties.get(name));
                let schema = described.or_else(|| schema.get("additionalProperties"))?;
                let (inner, problem) = wrong(document, schema, value)?;
                Some((if inner.is_empty() { name.clone() } else { format!("{name}.{inner}") }, problem))
            });
            inside.or_else(|| Some((missing(schema, fields)?.to_owned(), "it is missing".to_owned())))
        }
        Value::Null => None,
    }
}

/// The first field that has to be there and is not.
fn missing<'s>(schema: &'s serde_yaml::Value, fields: &serde_json::Map<String, Value>) -> Option<&'s str> {
    let mut required = schema.get("required")?.as_sequence()?.iter().filter_map(serde_yaml::Value::as_str);
    required.find(|name| fields.get(*name).is_none_or(Value::is_null))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::admin_service;

    #[test]
    fn what_is_wrong_is_told_by_its_name() {
        let document = Document::of(&admin_service());
        let told = |body: &str| {
            let problem = check(&document, "POST", "/admin/users", body.as_bytes()).err()?;
            Some(problem.fields[0].name.clone())
        };
        assert_eq!(told(r#"{"name": "ada", "monthly_budget_usd": "12.50"}"#), None);
        assert_eq!(told(r#"{"name": "ada", "monthly_budget_usd": 12.50}"#).as_deref(), Some("monthly_budget_usd"));
        assert_eq!(told(r#"{"name": true}"#).as_deref(), Some("name"));
        assert_eq!(told(r#"{"name": null, "routing": "plan_only"}"#).as_deref(), Some("name"));
        assert_eq!(told(r#"{"name": "ada", "routing": "plan_only", "description": null}"#), None);
        assert_eq!(told(r#"{"name": "ada", "routing": "plan"}"#).as_deref(), Some("routing"));
        assert_eq!(told("{}").as_deref(), Some("name"));
        assert_eq!(told(r#"{"routing": 1}"#).as_deref(), Some("routing"));
        assert_eq!(told("[1]"), None);
        assert_eq!(told("{"), None);
    }
}
