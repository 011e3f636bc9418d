//! The tree as people read it: constructs, and the resources below them.

use std::fmt::Write as _;

use super::logical_id::MAIN;
use super::template::{Resource, Template};

/// A line for each construct and each resource, in the order of their paths.
pub fn outline(template: &Template) -> String {
    let mut resources: Vec<_> = template.resources.values().map(|resource| (parts(resource), resource)).collect();
    resources.sort_by(|one, other| one.0.cmp(&other.0));
    let mut text = String::new();
    let mut above: Vec<&str> = Vec::new();
    for (path, resource) in resources {
        let same = path.iter().zip(&above).take_while(|(part, last)| part == last).count();
        for (depth, part) in path.iter().enumerate().skip(same) {
            let _ = write!(text, "{}{part}", "  ".repeat(depth));
            text.push_str(if depth + 1 == path.len() { "  " } else { "\n" });
        }
        if path.len() == same {
            // The main resource of a construct whose name is above already.
            let _ = write!(text, "{}  ", "  ".repeat(same));
        }
        text.push_str(resource.type_name.trim_start_matches("AWS::"));
        if let Some(condition) = &resource.condition {
            let _ = write!(text, ", if {condition}");
        }
        if resource.stateful {
            text.push_str(", holds state");
        }
        text.push('\n');
        above = path;
    }
    text
}

/// The path without the word for the main resource, which stands in the line of its construct.
fn parts(resource: &Resource) -> Vec<&str> {
    resource.origin.path.split('/').filter(|part| *part != MAIN).collect()
}
