//! Which resource must exist before which, and what is wrong with that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::problem::Problem;
use super::references::{Reference, references};
use super::template::{Resource, Template};

/// Circles of resources that wait for each other, each told once.
pub(super) fn cycles(template: &Template) -> Vec<Problem> {
    let edges: BTreeMap<&str, BTreeSet<String>> =
        template.resources.iter().map(|(id, resource)| (id.as_str(), needs(template, resource))).collect();
    let mut walk = Walk { edges: &edges, done: BTreeSet::new(), trail: Vec::new(), circles: Vec::new() };
    for id in edges.keys() {
        walk.visit(id);
    }
    let name = |id: &String| template.resources[id].origin.to_string();
    walk.circles
        .iter()
        .map(|circle| {
            let around: Vec<_> = circle.iter().chain(circle.first()).map(name).collect();
            Problem::at(
                &template.resources[&circle[0]].origin,
                format!(
                    "waits for itself: {}; move one of the references into a resource of its own",
                    around.join(" → ")
                ),
            )
        })
        .collect()
}

/// The resources that must exist before.
fn needs(template: &Template, resource: &Resource) -> BTreeSet<String> {
    let body = Json::Object(resource.properties.clone());
    let referred = references(&body).into_iter().filter_map(|reference| match reference {
        Reference::To(name) | Reference::Attribute(name, _) => Some(name),
        Reference::Condition(_) => None,
    });
    referred.chain(resource.depends_on.iter().cloned()).filter(|name| template.resources.contains_key(name)).collect()
}

struct Walk<'a> {
    edges: &'a BTreeMap<&'a str, BTreeSet<String>>,
    done: BTreeSet<String>,
    trail: Vec<String>,
    circles: Vec<Vec<String>>,
}

impl Walk<'_> {
    fn visit(&mut self, id: &str) {
        if let Some(start) = self.trail.iter().position(|visited| visited == id) {
            self.circles.push(self.trail[start..].to_vec());
            return;
        }
        if self.done.contains(id) {
            return;
        }
        self.trail.push(id.to_owned());
        for next in &self.edges[id] {
            self.visit(next);
        }
        self.trail.pop();
        self.done.insert(id.to_owned());
    }
}

/// What a piece of a template refers to whatever the conditions are.
pub(super) fn unguarded(body: &Json) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    without_branches(body, &mut found);
    found
}

fn without_branches(body: &Json, found: &mut BTreeSet<String>) {
    match body {
        Json::Array(items) => items.iter().for_each(|item| without_branches(item, found)),
        Json::Object(fields) if fields.contains_key("Fn::If") => {}
        Json::Object(fields) => {
            let leaf =
                fields.len() == 1 && fields.keys().all(|key| matches!(key.as_str(), "Ref" | "Fn::GetAtt" | "Fn::Sub"));
            if leaf {
                found.extend(references(body).into_iter().filter_map(|reference| match reference {
                    Reference::To(name) | Reference::Attribute(name, _) => Some(name),
                    Reference::Condition(_) => None,
                }));
            } else {
                fields.values().for_each(|value| without_branches(value, found));
            }
        }
        _ => {}
    }
}
