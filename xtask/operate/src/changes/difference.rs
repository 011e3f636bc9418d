//! The difference between two states of a stack, property by property.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value as Json;

use super::Snapshot;
use super::snapshot::Resource;

/// What becomes of a resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Change {
    /// Its logical id.
    pub(crate) id: String,
    /// AWS's name of the type.
    #[serde(rename = "type")]
    pub(crate) type_name: String,
    /// What becomes of it.
    pub(crate) kind: Kind,
    /// The properties that change; none where it comes or goes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) properties: Vec<Property>,
}

/// What becomes of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Added,
    Changed,
    /// Made anew, and the old one deleted: what it holds is lost.
    Replaced,
    Removed,
}

/// A property that changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Property {
    /// Where it is, such as `ContainerDefinitions/0/Image`.
    pub(crate) path: String,
    /// What it was; none where it is new.
    pub(crate) old: Option<Json>,
    /// What it will be; none where it goes.
    pub(crate) new: Option<Json>,
}

/// The changes that make one state from another, by logical id.
pub(crate) fn difference(old: &Snapshot, new: &Snapshot) -> Vec<Change> {
    let ids: BTreeSet<_> = old.resources.keys().chain(new.resources.keys()).collect();
    ids.into_iter().filter_map(|id| change(id, old.resources.get(id), new.resources.get(id))).collect()
}

fn change(id: &str, old: Option<&Resource>, new: Option<&Resource>) -> Option<Change> {
    let (kind, properties) = match (old, new) {
        (None, Some(_)) => (Kind::Added, Vec::new()),
        (Some(_), None) => (Kind::Removed, Vec::new()),
        // Another type under the same id is another resource.
        (Some(old), Some(new)) if old.type_name != new.type_name => (Kind::Replaced, Vec::new()),
        (Some(old), Some(new)) => {
            let mut properties = Vec::new();
            compare("", Some(&old.body), Some(&new.body), &mut properties);
            (Kind::Changed, properties)
        }
        (None, None) => return None,
    };
    if kind == Kind::Changed && properties.is_empty() {
        return None;
    }
    let type_name = new.or(old)?.type_name.clone();
    Some(Change { id: id.to_owned(), type_name, kind, properties })
}

fn compare(path: &str, old: Option<&Json>, new: Option<&Json>, found: &mut Vec<Property>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    match (old, new) {
        (Some(Json::Object(old)), Some(Json::Object(new))) if !is_function(old) && !is_function(new) => {
            let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
            for name in names {
                // That everything is a property need not be said of each.
                let path = if path.is_empty() && name == "Properties" { String::new() } else { below(name) };
                compare(&path, old.get(name), new.get(name), found);
            }
        }
        (Some(Json::Array(old)), Some(Json::Array(new))) if old.len() == new.len() => {
            for (number, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&below(&number.to_string()), Some(old), Some(new), found);
            }
        }
        (old, new) if old.map(text) == new.map(text) => {}
        (old, new) => found.push(Property { path: path.to_owned(), old: old.cloned(), new: new.cloned() }),
    }
}

/// `{"Ref": ...}` and the like, which are values and not structures.
fn is_function(fields: &serde_json::Map<String, Json>) -> bool {
    fields.len() == 1 && fields.keys().all(|name| name == "Ref" || name.starts_with("Fn::"))
}

/// CloudFormation does not tell `4` from `"4"`.
fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn snapshot(resources: &Json) -> Snapshot {
        let template = json!({ "Resources": resources }).to_string();
        Snapshot::new(&template, &crate::settings::Values::new()).unwrap_or_default()
    }

    #[test]
    fn each_property_that_changes_is_named() {
        let old = snapshot(&json!({
            "Task": { "Type": "T", "Properties": { "Cpu": 512, "Containers": [{ "Image": { "Ref": "A" }, "Port": 8000 }] } },
            "Gone": { "Type": "G" }, "Same": { "Type": "S", "Properties": { "Number": "4" } },
        }));
        let new = snapshot(&json!({
            "Task": { "Type": "T", "Properties": { "Cpu": 512, "Containers": [{ "Image": { "Ref": "B" }, "Port": 8000 }] },
                "DeletionPolicy": "Retain" },
            "Came": { "Type": "C" }, "Same": { "Type": "S", "Properties": { "Number": 4.0 } },
        }));
        let found = difference(&old, &new);
        let kinds: Vec<_> = found.iter().map(|change| (change.id.as_str(), change.kind)).collect();
        assert_eq!(kinds, [("Came", Kind::Added), ("Gone", Kind::Removed), ("Task", Kind::Changed)]);
        let properties: Vec<_> = found[2].properties.iter().map(|property| property.path.as_str()).collect();
        assert_eq!(properties, ["DeletionPolicy", "Containers/0/Image"]);
        assert_eq!(found[2].properties[1].new, Some(json!({ "Ref": "B" })));
    }

    #[test]
    fn another_type_is_another_resource() {
        let [old, new] = ["A", "B"].map(|name| snapshot(&json!({ "X": { "Type": name } })));
        assert_eq!(difference(&old, &new)[0].kind, Kind::Replaced);
        assert!(difference(&old, &old).is_empty());
    }
}
