//! The finished template, section by section.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::envelope::Policy;
use super::findings::Finding;
use super::problem::Origin;

/// A template of CloudFormation. Its maps are ordered, so that two syntheses are the same, byte for byte.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Template {
    #[serde(rename = "AWSTemplateFormatVersion")]
    version: &'static str,
    /// What the stack is.
    pub description: String,
    /// What differs between deployments.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Entry>,
    /// What must hold between parameters.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<String, Entry>,
    /// What parameters decide.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub conditions: BTreeMap<String, Entry>,
    /// The resources.
    pub resources: BTreeMap<String, Resource>,
    /// What people and other programs need to know of a deployed stack.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Entry>,
}

/// An entry of one of the small sections.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Where it was declared.
    #[serde(skip)]
    pub origin: Origin,
    /// What the template holds.
    #[serde(flatten)]
    pub body: Json,
}

/// A resource in the template.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Resource {
    /// AWS's name of the type.
    #[serde(rename = "Type")]
    pub type_name: &'static str,
    /// The condition under which it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// What must exist before.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub depends_on: BTreeSet<String>,
    /// When it leaves the stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<Policy>,
    /// When an update replaces it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_replace_policy: Option<Policy>,
    /// Accepted findings, and what else was attached.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Json>,
    /// The properties.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub properties: Map<String, Json>,
    /// Findings that are accepted; they are in the metadata as well, where validators look.
    #[serde(skip)]
    pub findings: Vec<Finding>,
    /// Where it was declared.
    #[serde(skip)]
    pub origin: Origin,
    /// Whether it takes tags.
    #[serde(skip)]
    pub taggable: bool,
    /// Whether replacing it loses what it holds.
    #[serde(skip)]
    pub stateful: bool,
}

impl Template {
    pub(super) fn new(description: &str) -> Self {
        Self {
            version: "2010-09-09",
            description: description.to_owned(),
            parameters: BTreeMap::new(),
            rules: BTreeMap::new(),
            conditions: BTreeMap::new(),
            resources: BTreeMap::new(),
            outputs: BTreeMap::new(),
        }
    }

    /// Everything that may refer to something, with its origin.
    pub(super) fn bodies(&self) -> impl Iterator<Item = (&Origin, Json)> {
        let entries = self.conditions.values().chain(self.rules.values()).chain(self.outputs.values());
        let resources = self.resources.values();
        resources
            .map(|resource| (&resource.origin, Json::Object(resource.properties.clone())))
            .chain(entries.map(|entry| (&entry.origin, entry.body.clone())))
    }

    /// The resources of a type, with their logical ids.
    pub fn of_type<'a>(&'a self, type_name: &str) -> impl Iterator<Item = (&'a str, &'a Resource)> {
        let all = self.resources.iter().map(|(id, resource)| (id.as_str(), resource));
        all.filter(move |(_, resource)| resource.type_name == type_name)
    }
}
