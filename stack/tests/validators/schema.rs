//! AWS's resource schemas, and the comparison with what L1 says about a type.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;
use stack::cfn::Entry;
use stack::core::{Property, Shape};

/// The schemas of a region.
pub(crate) struct Schemas {
    folder: PathBuf,
    /// Type to the name of the file that describes it.
    files: Json,
}

impl Schemas {
    pub(crate) fn open(folder: PathBuf, region: &str) -> Self {
        let files = read(&folder.join(format!("providers/{region}.json")));
        Self { folder, files }
    }

    /// Everything in which L1 differs, a line each.
    pub(crate) fn differences(&self, entry: &Entry) -> Vec<String> {
        let Some(file) = self.files[entry.type_name].as_str() else {
            return vec![format!("{}: AWS has no such type", entry.type_name)];
        };
        let schema = read(&self.folder.join(format!("resources/{file}.json")));
        let mut compared = Comparison { schema: &schema, found: Vec::new() };
        compared.shape(entry.type_name, &entry.shape, &schema);
        compared.attributes(entry);
        if entry.taggable && schema["properties"]["Tags"]["type"] != "array" {
            compared.found.push(format!("{}: takes no list of tags", entry.type_name));
        }
        compared.found
    }
}

fn read(path: &PathBuf) -> Json {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{} is no JSON: {error}", path.display()))
}

struct Comparison<'a> {
    schema: &'a Json,
    found: Vec<String>,
}

impl Comparison<'_> {
    fn resolve<'a>(&'a self, mut described: &'a Json) -> &'a Json {
        while let Some(pointer) = described["$ref"].as_str() {
            described = self.schema.pointer(pointer.trim_start_matches('#')).unwrap_or(&Json::Null);
        }
        described
    }

    fn shape(&mut self, path: &str, shape: &Shape, described: &Json) {
        let described = self.resolve(described).clone();
        let types: BTreeSet<String> = match &described["type"] {
            Json::String(one) => BTreeSet::from([one.clone()]),
            Json::Array(many) => many.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            // A few are described by their properties or words alone.
            _ => BTreeSet::new(),
        };
        let fits = |wanted: &[&str]| types.is_empty() || wanted.iter().any(|wanted| types.contains(*wanted));
        let right = match shape {
            Shape::Text | Shape::Words(_) => fits(&["string"]),
            Shape::Boolean => fits(&["boolean"]),
            Shape::Integer => fits(&["integer", "number"]),
            Shape::Number => fits(&["number"]),
            Shape::List(_) => fits(&["array"]),
            Shape::Object(_) | Shape::Map(_) | Shape::Free => fits(&["object"]),
        };
        if !right {
            let types: Vec<_> = types.into_iter().collect();
            self.found.push(format!("{path}: {shape:?} here, {} at AWS", types.join(" or ")));
            return;
        }
        match shape {
            Shape::List(items) => self.shape(&format!("{path}[]"), items, &described["items"]),
            Shape::Object(properties) => self.object(path, properties, &described),
            Shape::Words(words) => self.words(path, words, &described),
            _ => {}
        }
    }

    fn object(&mut self, path: &str, properties: &[Property], described: &Json) {
        for property in properties {
            let path = format!("{path}.{}", property.name);
            match described["properties"].get(&property.name) {
                Some(described) => self.shape(&path, &property.shape, described),
                None => self.found.push(format!("{path}: AWS has no such property")),
            }
        }
        for name in described["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            if !properties.iter().any(|property| property.name == name && property.required) {
                self.found.push(format!("{path}.{name}: required by AWS, and not by the compiler"));
            }
        }
    }

    fn words(&mut self, path: &str, words: &[&str], described: &Json) {
        let Some(known) = described["enum"].as_array() else { return };
        for word in words.iter().filter(|word| !known.iter().any(|known| known == **word)) {
            self.found.push(format!("{path}: AWS does not know `{word}`"));
        }
    }

    /// What `Fn::GetAtt` takes are the read-only properties; a few that are set may be asked for as well.
    fn attributes(&mut self, entry: &Entry) {
        let read_only: Vec<_> =
            self.schema["readOnlyProperties"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        for attribute in entry.attributes {
            let pointer = format!("/properties/{}", attribute.replace('.', "/"));
            let settable = self.schema["properties"].get(attribute).is_some();
            if !read_only.contains(&pointer.as_str()) && !settable {
                self.found.push(format!("{}.{attribute}: AWS has no such attribute", entry.type_name));
            }
        }
    }
}
