//! Synthesis: from the tree to a template in its written forms, or to everything that is wrong with it.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::check;
use super::findings::Finding;
use super::problem::{Problem, Problems};
use super::template::{Entry, Resource, Template};
use super::tree::{Declared, Section, Tree};
use super::yaml;

/// What CloudFormation takes with the call; a larger template comes from S3.
pub(super) const INLINE_LIMIT: usize = 51_200;

/// A synthesised stack.
#[derive(Clone, Debug)]
pub struct Assembly {
    /// The template, for tests and for the manifest.
    pub template: Template,
    /// What CloudFormation wants acknowledged.
    pub capabilities: BTreeSet<&'static str>,
    /// For people: in blocks, with one property a line.
    pub yaml: String,
    /// For deployment: without any white space.
    pub json: String,
}

impl Assembly {
    pub(super) fn of(tree: &mut Tree, description: &str) -> Result<Self, Problems> {
        let mut problems = tree.problems.clone();
        let mut template = Template::new(description);
        for ((section, name), (origin, body)) in &tree.entries {
            let mut entry = Entry { origin: origin.clone(), body: body.clone() };
            entry.body.sort_all_objects();
            let entries = match section {
                Section::Parameter => &mut template.parameters,
                Section::Rule => &mut template.rules,
                Section::Condition => &mut template.conditions,
                Section::Output => &mut template.outputs,
            };
            entries.insert(name.clone(), entry);
        }
        for declared in &tree.resources {
            let mut resource = render(declared, &mut problems);
            for aspect in &tree.aspects {
                problems.extend(aspect.visit(&mut resource));
            }
            sort(&mut resource);
            template.resources.insert(declared.logical_id.clone(), resource);
        }
        problems.extend(check::all(&template));
        problems.extend(tree.checks.iter().flat_map(|check| check.check(&template)));
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let capabilities = tree.resources.iter().filter_map(|declared| declared.capability).collect();
        written(template, capabilities).map_err(|error| {
            Problems(vec![Problem::everywhere(format!(
                "cannot be written: {error}; look for a number that JSON does not have"
            ))])
        })
    }

    /// Whether the template goes with the call, or by S3.
    pub fn fits_inline(&self) -> bool {
        self.json.len() <= INLINE_LIMIT
    }
}

/// Without effect, unless another crate of the build lets serde_json keep insertion order.
fn sort(resource: &mut Resource) {
    resource.properties.sort_keys();
    resource.properties.values_mut().chain(resource.metadata.values_mut()).for_each(Json::sort_all_objects);
}

fn render(declared: &Declared, problems: &mut Vec<Problem>) -> Resource {
    let mut properties = match declared.resource.properties() {
        Ok(Json::Object(properties)) => properties,
        Ok(other) => {
            problems.push(Problem::at(&declared.origin, format!("its properties are {other}; make them a struct")));
            Map::new()
        }
        Err(error) => {
            problems.push(Problem::at(&declared.origin, format!("its properties are no JSON: {error}; use text keys")));
            Map::new()
        }
    };
    let envelope = &declared.envelope;
    properties.extend(envelope.overrides.clone());
    let mut metadata = envelope.metadata.clone();
    metadata.extend(Finding::metadata(&envelope.findings));
    Resource {
        type_name: declared.type_name,
        condition: envelope.condition.clone(),
        depends_on: envelope.depends_on.clone(),
        deletion_policy: envelope.deletion_policy,
        update_replace_policy: envelope.update_replace_policy,
        metadata,
        properties,
        findings: envelope.findings.clone(),
        origin: declared.origin.clone(),
        taggable: declared.taggable,
        stateful: declared.stateful,
    }
}

fn written(template: Template, capabilities: BTreeSet<&'static str>) -> Result<Assembly, String> {
    let json = serde_json::to_string(&template).map_err(|error| error.to_string())?;
    let yaml = yaml::to_string(&template).map_err(|error| error.to_string())?;
    Ok(Assembly { template, capabilities, yaml, json })
}
