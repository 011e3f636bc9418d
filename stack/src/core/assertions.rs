//! Assertions for tests of a template: they say what was looked for and what there is instead.

use serde_json::{Value as Json, json};

use super::template::{Resource, Template};

impl Template {
    /// The only resource of a type.
    #[track_caller]
    pub fn the(&self, type_name: &str) -> &Resource {
        self.matching(type_name, &json!({}))
    }

    /// The only resource of a type whose properties contain these; objects may have more, lists are the same.
    #[track_caller]
    pub fn matching(&self, type_name: &str, properties: &Json) -> &Resource {
        let matching: Vec<_> = self.of_type(type_name).filter(|(_, resource)| resource.has(properties)).collect();
        if let [(_, resource)] = matching[..] {
            return resource;
        }
        let line = |(id, resource): (&str, &Resource)| format!("  {id} {}", Json::Object(resource.properties.clone()));
        let all: Vec<_> = self.of_type(type_name).map(line).collect();
        panic!("{} of type {type_name} match {properties}, not one:\n{}", matching.len(), all.join("\n"))
    }

    /// The resource at a path.
    #[track_caller]
    pub fn at(&self, path: &str) -> &Resource {
        let same = |resource: &&Resource| resource.origin.path == path;
        self.resources.values().find(same).unwrap_or_else(|| {
            let paths: Vec<_> = self.resources.values().map(|resource| resource.origin.path.as_str()).collect();
            panic!("nothing is at {path}, but at:\n  {}", paths.join("\n  "))
        })
    }
}

impl Resource {
    /// A property by a pointer such as `/HealthCheck/Path`, `null` where there is none.
    pub fn property(&self, pointer: &str) -> Json {
        let (first, rest) =
            pointer.trim_start_matches('/').split_once('/').unwrap_or((pointer.trim_start_matches('/'), ""));
        let rest = if rest.is_empty() { String::new() } else { format!("/{rest}") };
        self.properties.get(first).and_then(|value| value.pointer(&rest)).cloned().unwrap_or_default()
    }

    /// Whether the properties contain these.
    pub fn has(&self, properties: &Json) -> bool {
        contains(&Json::Object(self.properties.clone()), properties)
    }
}

/// Whether a value has everything of a pattern.
fn contains(value: &Json, pattern: &Json) -> bool {
    match (value, pattern) {
        (Json::Object(fields), Json::Object(wanted)) => {
            wanted.iter().all(|(name, pattern)| fields.get(name).is_some_and(|value| contains(value, pattern)))
        }
        (Json::Array(items), Json::Array(wanted)) => {
            items.len() == wanted.len() && items.iter().zip(wanted).all(|(value, pattern)| contains(value, pattern))
        }
        _ => value == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_leaves_out_what_it_does_not_care_for() {
        let value = json!({ "a": 1, "b": { "c": [1, { "d": 2, "e": 3 }] } });
        assert!(contains(&value, &json!({ "b": { "c": [1, { "d": 2 }] } })));
        assert!(!contains(&value, &json!({ "b": { "c": [1] } })), "lists are the same");
        assert!(!contains(&value, &json!({ "z": null })), "what is missing is not null");
    }
}
