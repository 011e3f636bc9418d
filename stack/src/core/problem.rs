//! What is wrong with a stack: told with the construct's path and the line that made it, all at once.

use std::fmt::{Display, Formatter};
use std::panic::Location;

/// Where a construct comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its path in the tree, or the name of a parameter, condition, output or rule.
    pub path: String,
    /// The line of the code that made it.
    pub line: &'static Location<'static>,
}

impl Display for Origin {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} ({}:{})", self.path, self.line.file(), self.line.line())
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The construct that it is about; none where it is the whole template.
    pub origin: Option<Origin>,
    /// What is wrong, which value, and the remedy.
    pub message: String,
}

impl Problem {
    /// A mistake of a construct.
    pub fn at(origin: &Origin, message: impl Into<String>) -> Self {
        Self { origin: Some(origin.clone()), message: message.into() }
    }

    /// A mistake of the template as a whole.
    pub fn everywhere(message: impl Into<String>) -> Self {
        Self { origin: None, message: message.into() }
    }
}

impl Display for Problem {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        match &self.origin {
            Some(origin) => write!(out, "{origin}: {}", self.message),
            None => write!(out, "template: {}", self.message),
        }
    }
}

/// All mistakes of a stack; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Display for Problems {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        let count = self.0.len();
        write!(out, "the stack has {count} {}", if count == 1 { "mistake" } else { "mistakes" })?;
        self.0.iter().try_for_each(|problem| write!(out, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}
