//! Says of the objects in requests what all of them have in common: a field that may be left out may be null as well, and
//! an unknown field is refused.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::{Mapping, Value};

/// Completes every schema that a request reaches.
pub(super) fn close(document: &mut Value) {
    let mut names = BTreeSet::new();
    let paths = document.get("paths").and_then(Value::as_mapping).into_iter().flat_map(Mapping::values);
    let operations = paths.filter_map(Value::as_mapping).flat_map(Mapping::values);
    for body in operations.filter_map(|operation| operation.get("requestBody")) {
        reach(body, document, &mut names);
    }
    let Some(schemas) = document.get_mut("components").and_then(|components| components.get_mut("schemas")) else {
        return;
    };
    let types: BTreeMap<String, Value> = schemas.as_mapping().into_iter().flatten().filter_map(typed).collect();
    for name in names {
        if let Some(Value::Mapping(schema)) = schemas.get_mut(name) {
            complete(schema, &types);
        }
    }
}

/// A reference to a schema, and its type.
fn typed((name, schema): (&Value, &Value)) -> Option<(String, Value)> {
    Some((format!("#/components/schemas/{}", name.as_str()?), schema.get("type")?.clone()))
}

/// Notes the names of all schemas that are referred to, and of those that they refer to.
fn reach(value: &Value, document: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Sequence(items) => items.iter().for_each(|item| reach(item, document, names)),
        Value::Mapping(object) => {
            let reference = object.get("$ref").and_then(Value::as_str);
            if let Some(name) = reference.and_then(|reference| reference.strip_prefix("#/components/schemas/"))
                && names.insert(name.to_owned())
            {
                reach(&document["components"]["schemas"][name], document, names);
            }
            object.values().for_each(|value| reach(value, document, names));
        }
        _ => {}
    }
}

fn complete(schema: &mut Mapping, types: &BTreeMap<String, Value>) {
    let required: Vec<Value> = schema.get("required").and_then(Value::as_sequence).cloned().unwrap_or_default();
    let Some(Value::Mapping(properties)) = schema.get_mut("properties") else { return };
    for (_, property) in properties.iter_mut().filter(|(name, _)| !required.contains(name)) {
        if let Value::Mapping(property) = property {
            // Beside a reference nothing else counts; and what may be null has its type beside that.
            if let Some(reference) = property.remove("$ref") {
                let referred = Mapping::from_iter([("$ref".into(), reference)]);
                property.insert("allOf".into(), Value::Sequence(vec![referred.into()]));
            }
            let parts = property.get("allOf").and_then(Value::as_sequence).into_iter().flatten();
            let mut references = parts.filter_map(|part| part.get("$ref")?.as_str());
            if let Some(kind) = references.find_map(|reference| types.get(reference)) {
                property.insert("type".into(), kind.clone());
            }
            property.insert("nullable".into(), true.into());
        }
    }
    if !schema.contains_key("additionalProperties") {
        schema.insert("additionalProperties".into(), false.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_reaches_is_closed_and_nothing_else() {
        let mut document: Value = serde_yaml::from_str(
            "paths: {/users: {post: {requestBody: {schema: {$ref: '#/components/schemas/New'}}}}}\n\
             components: {schemas: {\n\
               New: {required: [name], properties: {name: {type: string}, kind: {$ref: '#/components/schemas/Kind'}}},\n\
               Kind: {type: string, enum: [a]}, User: {properties: {name: {type: string}}}}}",
        )
        .unwrap();
        close(&mut document);
        let expected: Value = serde_yaml::from_str(
            "New: {required: [name], additionalProperties: false, properties: {name: {type: string},\n\
               kind: {type: string, nullable: true, allOf: [{$ref: '#/components/schemas/Kind'}]}}}\n\
             Kind: {type: string, enum: [a]}\n\
             User: {properties: {name: {type: string}}}",
        )
        .unwrap();
        assert_eq!(document["components"]["schemas"], expected);
    }
}
