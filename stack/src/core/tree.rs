//! The tree itself, which all scopes and handles of a stack share: what was declared, in which line, and what went wrong so far.

use std::collections::BTreeMap;
use std::panic::Location;

use serde_json::Value as Json;

use super::aspect::Aspect;
use super::check::Check;
use super::envelope::Envelope;
use super::problem::{Origin, Problem};
use super::resource::AnyResource;

/// What a stack consists of.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) resources: Vec<Declared>,
    /// Names share one space within a template; the sections are told apart by [`Section`].
    pub(super) entries: BTreeMap<(Section, String), (Origin, Json)>,
    pub(super) aspects: Vec<Box<dyn Aspect>>,
    pub(super) checks: Vec<Box<dyn Check>>,
    pub(super) problems: Vec<Problem>,
}

/// The small sections of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Parameter,
    Rule,
    Condition,
    Output,
}

/// A resource as it was declared.
pub(super) struct Declared {
    pub(super) origin: Origin,
    pub(super) logical_id: String,
    pub(super) type_name: &'static str,
    pub(super) taggable: bool,
    pub(super) stateful: bool,
    pub(super) capability: Option<&'static str>,
    pub(super) envelope: Envelope,
    pub(super) resource: Box<dyn AnyResource>,
}

impl Tree {
    /// Adds a resource; one whose id is taken is remembered as a mistake, so that all are told at once.
    pub(super) fn declare(&mut self, declared: Declared) -> usize {
        if let Some(other) = self.resources.iter().find(|other| other.logical_id == declared.logical_id) {
            self.problems.push(Problem::at(
                &declared.origin,
                format!(
                    "the logical id `{}` is already that of {}; give one of the two another name",
                    declared.logical_id, other.origin
                ),
            ));
        }
        self.resources.push(declared);
        self.resources.len() - 1
    }

    /// Adds to a section; a name that is taken is a mistake.
    pub(super) fn enter(&mut self, section: Section, name: &str, line: &'static Location<'static>, entry: Json) {
        let origin = Origin { path: name.to_owned(), line };
        if let Some((other, _)) = self.entries.get(&(section, name.to_owned())) {
            let message = format!("there is a {section:?} of that name already, {other}; choose another name");
            self.problems.push(Problem::at(&origin, message));
            return;
        }
        self.entries.insert((section, name.to_owned()), (origin, entry));
    }
}
