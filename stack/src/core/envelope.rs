//! What surrounds the properties of a resource: policies, dependencies, a condition, accepted findings.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value as Json;

use super::findings::Finding;

/// What happens to the real thing when the resource leaves the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Policy {
    /// It is deleted; CloudFormation's default for most types.
    Delete,
    /// It stays.
    Retain,
    /// It is deleted after a last snapshot.
    Snapshot,
}

/// Everything about a resource but its properties.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    /// When the resource is removed from the stack, or the stack deleted.
    pub deletion_policy: Option<Policy>,
    /// When an update replaces it.
    pub update_replace_policy: Option<Policy>,
    /// Resources that must exist before.
    pub depends_on: BTreeSet<String>,
    /// The condition under which it exists.
    pub condition: Option<String>,
    /// Free metadata.
    pub metadata: BTreeMap<String, Json>,
    /// Findings of validators that are accepted, with reasons.
    pub findings: Vec<Finding>,
    /// Properties that the typed struct does not have, by name.
    pub overrides: BTreeMap<String, Json>,
}
