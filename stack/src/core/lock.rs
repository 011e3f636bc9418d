//! The lock file: which logical id is of which type, because a changed id replaces a resource.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

use super::problem::{Problem, Problems};
use super::template::Template;

/// The content of the lock file, a line for each resource: logical id, type, whether it holds state, path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock(BTreeMap<String, Locked>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Locked {
    type_name: String,
    stateful: bool,
    path: String,
}

impl Lock {
    /// What the template would lock.
    pub fn of(template: &Template) -> Self {
        let locked = template.resources.iter().map(|(id, resource)| {
            let type_name = resource.type_name.to_owned();
            (id.clone(), Locked { type_name, stateful: resource.stateful, path: resource.origin.path.clone() })
        });
        Self(locked.collect())
    }

    /// Reads the file.
    pub fn parse(text: &str) -> Result<Self, String> {
        let line = |line: &str| match line.split_whitespace().collect::<Vec<_>>()[..] {
            [id, type_name, state @ ("stateful" | "stateless"), path] => {
                let stateful = state == "stateful";
                Ok((id.to_owned(), Locked { type_name: type_name.to_owned(), stateful, path: path.to_owned() }))
            }
            _ => {
                Err(format!("`{line}` in the lock file is not `id type stateful|stateless path`; write the file anew"))
            }
        };
        text.lines().map(line).collect::<Result<_, _>>().map(Self)
    }

    /// Refuses a template that loses a stateful resource or makes another type of it.
    pub fn check(&self, template: &Template) -> Result<(), Problems> {
        let mut problems = Vec::new();
        for (id, locked) in self.0.iter().filter(|(_, locked)| locked.stateful) {
            let Locked { type_name, path, .. } = locked;
            match template.resources.get(id) {
                Some(resource) if resource.type_name == type_name => {}
                Some(resource) => problems.push(Problem::at(
                    &resource.origin,
                    format!("`{id}` was a {type_name} and would be a {}, which loses its content; take another name", resource.type_name),
                )),
                None => problems.push(Problem::everywhere(format!(
                    "{path} (`{id}`, {type_name}) would be deleted or replaced, with its content; if it has moved, keep its id \
                     with `scope.child(...).renamed_from(\"{}\")`; if it shall go, remove its line from the lock file",
                    path.strip_suffix("/Resource").unwrap_or(path)
                ))),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
    }
}

impl Display for Lock {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|(id, locked)| {
            let state = if locked.stateful { "stateful" } else { "stateless" };
            writeln!(out, "{id} {} {state} {}", locked.type_name, locked.path)
        })
    }
}
