//! What a synthesis says to a person.

use std::fmt::Write as _;

use stack::core::{Assembly, Deployment, Finding, Template};
use stack::cost::monthly;

/// The template in a line.
pub(super) fn summary(assembly: &Assembly) -> String {
    let Assembly { template, json, .. } = assembly;
    let way = if assembly.fits_inline() { "goes with the call" } else { "goes through S3" };
    let (resources, parameters) = (template.resources.len(), template.parameters.len());
    format!("{resources} resources, {parameters} parameters, {} bytes: it {way}", json.len())
}

/// Every accepted finding, with its construct and the reason.
pub(super) fn findings(template: &Template) -> String {
    let mut text = String::new();
    for resource in template.resources.values() {
        for Finding { rule, reason } in &resource.findings {
            let _ = writeln!(text, "{rule}  {}\n    {reason}", resource.origin);
        }
    }
    text
}

/// What each preset costs, part by part.
pub(super) fn cost(deployments: &[(&str, Deployment<'_>)]) -> String {
    let mut text = String::new();
    for (name, deployment) in deployments {
        let items = monthly(deployment);
        let sum: f64 = items.iter().map(|item| item.dollars).sum();
        let _ = writeln!(text, "{name}: {sum:.0} USD a month, list prices of us-east-1, without what grows with use");
        for item in items {
            let _ = writeln!(text, "{:>10.2}  {} x {}", item.dollars, item.count, item.what);
        }
    }
    text
}
