//! Says what the generated documents mean in the way that every reader of OpenAPI understands.

use serde_yaml::{Mapping, Value};

use super::requests;

/// Media type of all JSON; parameters of it do not belong into a document, since readers compare it as a whole.
const JSON: &str = "application/json";

/// Tidies a whole document.
pub(super) fn tidied(mut document: Value) -> Value {
    let schemas = document.get("components").and_then(|components| components.get("schemas")).cloned();
    walk(&mut document, &schemas.unwrap_or_default());
    requests::close(&mut document);
    document
}

fn walk(value: &mut Value, schemas: &Value) {
    match value {
        Value::Sequence(items) => items.iter_mut().for_each(|item| walk(item, schemas)),
        Value::Mapping(object) => {
            object.values_mut().for_each(|value| walk(value, schemas));
            plain_media_types(object);
            whole_numbers(object);
            one_description(object);
            described_response(object, schemas);
        }
        _ => {}
    }
}

/// `application/json; charset=utf-8` is `application/json`.
fn plain_media_types(object: &mut Mapping) {
    let Some(Value::Mapping(content)) = object.get_mut("content") else { return };
    *content = std::mem::take(content)
        .into_iter()
        .map(|(name, media)| match name.as_str().and_then(|name| name.split_once(';')) {
            Some((JSON, _)) => (JSON.into(), media),
            _ => (name, media),
        })
        .collect();
}

/// Formats of integers that OpenAPI has, and bounds of integers without a fraction.
fn whole_numbers(object: &mut Mapping) {
    if object.get("type").and_then(Value::as_str) != Some("integer") {
        return;
    }
    for bound in ["minimum", "maximum"] {
        let Some(value) = object.get_mut(bound) else { continue };
        // YAML and JSON write the fraction of a float even where it is zero.
        if let Some(whole) = value.as_f64().and_then(|bound| format!("{bound:.0}").parse::<i64>().ok()) {
            *value = whole.into();
        }
    }
    if matches!(object.get("format").and_then(Value::as_str), Some("uint8" | "uint16" | "uint32" | "uint64")) {
        object.insert("format".into(), "int64".into());
        if !object.contains_key("minimum") {
            object.insert("minimum".into(), 0.into());
        }
    }
}

/// A reference with a description of its own says it once, beside `allOf`, and not as a second schema in it.
fn one_description(object: &mut Mapping) {
    let Some(Value::Sequence(parts)) = object.get_mut("allOf") else { return };
    let says_more = |part: &Value| part.as_mapping().is_none_or(|part| part.keys().any(|key| key != "description"));
    parts.retain(says_more);
}

/// A response that says nothing about itself is described by what it brings.
fn described_response(object: &mut Mapping, schemas: &Value) {
    if object.get("description").and_then(Value::as_str) != Some("") || !object.contains_key("content") {
        return;
    }
    let reference = object["content"].get(JSON).and_then(|media| media.get("schema")?.get("$ref")?.as_str());
    let name = reference.and_then(|reference| reference.rsplit('/').next());
    let description = name.and_then(|name| schemas.get(name)?.get("description")).cloned();
    object.insert("description".into(), description.unwrap_or_else(|| "What was asked for.".into()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str) {
        let read = |text| serde_yaml::from_str::<Value>(text).unwrap();
        assert_eq!(tidied(read(before)), read(after));
    }

    #[test]
    fn a_media_type_has_no_parameters() {
        check(
            "content: {'application/json; charset=utf-8': {a: 1}, text/csv: {}}",
            "content: {application/json: {a: 1}, text/csv: {}}",
        );
        check(
            "properties: {'application/json; charset=utf-8': 1}",
            "properties: {'application/json; charset=utf-8': 1}",
        );
    }

    #[test]
    fn integers_have_a_format_that_every_reader_knows() {
        check("{type: integer, format: uint64}", "{type: integer, format: int64, minimum: 0}");
        check(
            "{type: integer, format: uint32, minimum: 1.0, maximum: 500.0}",
            "{type: integer, format: int64, minimum: 1, maximum: 500}",
        );
        check("{type: integer, format: int32}", "{type: integer, format: int32}");
        check("{type: number, maximum: 1.0}", "{type: number, maximum: 1.0}");
        check("{example: {format: uint64}}", "{example: {format: uint64}}");
    }

    #[test]
    fn a_reference_is_described_once() {
        check("{description: a, allOf: [{$ref: b}, {description: a}]}", "{description: a, allOf: [{$ref: b}]}");
    }

    #[test]
    fn a_response_is_described_by_what_it_brings() {
        let components = "components: {schemas: {User: {description: A user.}}}";
        let response = |description, schema| {
            format!(
                "{{{components}, r: {{description: '{description}', content: {{application/json: {{schema: {schema}}}}}}}}}"
            )
        };
        let user = "{$ref: '#/components/schemas/User'}";
        check(&response("", user), &response("A user.", user));
        check(&response("", "{}"), &response("What was asked for.", "{}"));
        check(&response("Whom.", user), &response("Whom.", user));
    }
}
