//! Aspects: what applies to every resource of a stack, wherever it was declared.

use serde_json::{Value as Json, json};

use super::problem::Problem;
use super::template::Resource;

/// Visits every resource once its properties are final, and may change it or object to it.
pub trait Aspect {
    /// Looks at a resource.
    fn visit(&self, resource: &mut Resource) -> Vec<Problem>;
}

/// Tags for every resource that takes them. What the resource says itself stays.
#[derive(Clone, Debug)]
pub struct Tags(pub Vec<(String, String)>);

impl Aspect for Tags {
    fn visit(&self, resource: &mut Resource) -> Vec<Problem> {
        if !resource.taggable {
            return Vec::new();
        }
        let tags = resource.properties.entry("Tags").or_insert_with(|| Json::Array(Vec::new()));
        if let Json::Array(tags) = tags {
            for (key, value) in &self.0 {
                if !tags.iter().any(|tag| tag["Key"] == **key) {
                    tags.push(json!({ "Key": key, "Value": value }));
                }
            }
        }
        Vec::new()
    }
}

impl<F: Fn(&mut Resource) -> Vec<Problem>> Aspect for F {
    fn visit(&self, resource: &mut Resource) -> Vec<Problem> {
        self(resource)
    }
}
