//! Numbers and truth values are no texts. The web framework would take them for some, and an amount of money that was a
//! number has lost digits on its way; so each body is held to the document once more, before its operation has it.

use serde_json::Value;

use super::problem::{FieldProblem, Kind, Problem};
use crate::openapi::Document;

/// What is wrong with a body, if anything is.
pub(super) fn check(document: &Document, method: &str, path: &str, body: &[u8]) -> Result<(), Problem> {
    let schema = document.request_schema(method, path);
    // What is no JSON the operation refuses itself, in its own words.
    let (Some(schema), Ok(body)) = (schema, serde_json::from_slice(body)) else { return Ok(()) };
    let Some(name) = not_a_text(document, schema, &body) else { return Ok(()) };
    let problem = "it has to be a text, in quotes".to_owned();
    let told = Problem::new(Kind::Malformed, "malformed", format!("`{name}` cannot be read: {problem}"));
    Err(Problem { fields: vec![FieldProblem { name, problem }], ..told })
}

/// The name of the first value that has to be a text and is something else that can be written as one.
fn not_a_text(document: &Document, schema: &serde_yaml::Value, value: &Value) -> Option<String> {
    let schema = document.resolved(schema);
    match value {
        Value::Number(_) | Value::Bool(_) => (schema.get("type")?.as_str() == Some("string")).then(String::new),
        Value::Array(items) => {
            let schema = schema.get("items")?;
            items.iter().find_map(|item| not_a_text(document, schema, item))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let described = schema.get("properties").and_then(|properties| properties.get(name));
            let schema = described.or_else(|| schema.get("additionalProperties"))?;
            let inner = not_a_text(document, schema, value)?;
            Some(if inner.is_empty() { name.clone() } else { format!("{name}.{inner}") })
        }),
        Value::Null | Value::String(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::admin_service;

    #[test]
    fn numbers_and_truth_values_are_no_texts() {
        let document = Document::of(&admin_service());
        let told = |body: &str| {
            let problem = check(&document, "POST", "/admin/users", body.as_bytes()).err()?;
            Some(problem.fields[0].name.clone())
        };
        assert_eq!(told(r#"{"name": "ada", "monthly_budget_usd": "12.50"}"#), None);
        assert_eq!(told(r#"{"name": "ada", "monthly_budget_usd": 12.50}"#).as_deref(), Some("monthly_budget_usd"));
        assert_eq!(told(r#"{"name": true}"#).as_deref(), Some("name"));
        assert_eq!(told(r#"{"name": null, "routing": "plan_only"}"#), None);
        assert_eq!(told(r#"{"routing": 1}"#).as_deref(), Some("routing"));
        assert_eq!(told("[1]"), None);
        assert_eq!(told("{"), None);
    }
}
