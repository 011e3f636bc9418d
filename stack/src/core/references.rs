//! Which other parts of the template a piece of it refers to.

use std::fmt::{Display, Formatter};

use serde_json::Value as Json;

/// A reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// `Ref`, or `${Name}` in a text.
    To(String),
    /// `Fn::GetAtt`, or `${Name.Attribute}` in a text.
    Attribute(String, String),
    /// A condition.
    Condition(String),
}

impl Display for Reference {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::To(name) => write!(out, "`{name}`"),
            Self::Attribute(name, attribute) => write!(out, "`{name}.{attribute}`"),
            Self::Condition(name) => write!(out, "the condition `{name}`"),
        }
    }
}

/// All references in a piece of a template, in the order of the text.
pub fn references(body: &Json) -> Vec<Reference> {
    let mut found = Vec::new();
    collect(body, &mut found);
    found
}

fn collect(body: &Json, found: &mut Vec<Reference>) {
    match body {
        Json::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Json::Object(fields) => {
            if let Some((key, argument)) = fields.iter().next().filter(|_| fields.len() == 1) {
                intrinsic(key, argument, found);
            }
            fields.values().for_each(|value| collect(value, found));
        }
        _ => {}
    }
}

fn intrinsic(key: &str, argument: &Json, found: &mut Vec<Reference>) {
    match (key, argument) {
        ("Ref", Json::String(name)) => found.push(Reference::To(name.clone())),
        ("Condition", Json::String(name)) => found.push(Reference::Condition(name.clone())),
        ("Fn::GetAtt", Json::Array(parts)) => {
            if let [Json::String(name), Json::String(attribute)] = parts.as_slice() {
                found.push(Reference::Attribute(name.clone(), attribute.clone()));
            }
        }
        ("Fn::If", Json::Array(parts)) => {
            if let Some(Json::String(name)) = parts.first() {
                found.push(Reference::Condition(name.clone()));
            }
        }
        ("Fn::Sub", Json::String(text)) => found.extend(placeholders(text)),
        ("Fn::Sub", Json::Array(parts)) => {
            if let [Json::String(text), Json::Object(names)] = parts.as_slice() {
                let given =
                    |reference: &Reference| matches!(reference, Reference::To(name) if names.contains_key(name));
                found.extend(placeholders(text).filter(|reference| !given(reference)));
            }
        }
        _ => {}
    }
}

/// `${Name}` and `${Name.Attribute}`; `${!Name}` is text.
fn placeholders(text: &str) -> impl Iterator<Item = Reference> {
    let names = text.split("${").skip(1).filter_map(|rest| rest.split('}').next());
    names.filter(|name| !name.starts_with('!')).map(|name| match name.split_once('.') {
        Some((resource, attribute)) => Reference::Attribute(resource.to_owned(), attribute.to_owned()),
        None => Reference::To(name.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_of_a_reference_is_seen() {
        let body = json!({
            "A": { "Ref": "Topic" },
            "B": [{ "Fn::GetAtt": ["Role", "Arn"] }],
            "C": { "Fn::If": ["HasZone", { "Fn::Sub": "${Zone}.${!Literal}.${Key.Arn}" }, { "Fn::Sub": ["${Given}${Other}", { "Given": "x" }] }] },
        });
        let to = |name: &str| Reference::To(name.to_owned());
        let attribute = |name: &str| Reference::Attribute(name.to_owned(), "Arn".to_owned());
        let condition = Reference::Condition("HasZone".to_owned());
        let expected = [to("Topic"), attribute("Role"), condition, to("Zone"), attribute("Key"), to("Other")];
        assert_eq!(references(&body), expected);
    }

    #[test]
    fn a_property_that_is_called_condition_is_no_reference() {
        assert!(references(&json!({ "Effect": "Allow", "Condition": { "Bool": { "x": "y" } } })).is_empty());
    }
}
