//! Values that several reports are filtered by.

use poem_openapi::Enum;

use crate::admin::problem::Problem;
use crate::domain::{Outcome, Provider};

/// Who served a request.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case", rename = "Provider")]
pub(super) enum ServedBy {
    /// The plan.
    Plan,
    /// Amazon Bedrock.
    Bedrock,
}

/// How a request ended.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case", rename = "Outcome")]
pub(super) enum Ended {
    /// The whole answer was relayed.
    Completed,
    /// The client left before the end.
    Cancelled,
    /// The provider reported an error.
    Failed,
    /// The provider's connection ended or broke in mid-answer.
    Truncated,
}

impl ServedBy {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plan => Provider::Plan.name(),
            Self::Bedrock => Provider::Bedrock.name(),
        }
    }

    /// Reads what the database says.
    pub(super) fn parse(name: &str) -> Self {
        if name == Self::Plan.name() { Self::Plan } else { Self::Bedrock }
    }
}

impl Ended {
    const ALL: [Self; 4] = [Self::Completed, Self::Cancelled, Self::Failed, Self::Truncated];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Completed => Outcome::Completed.name(),
            Self::Cancelled => Outcome::Cancelled.name(),
            Self::Failed => Outcome::Failed.name(),
            Self::Truncated => Outcome::Truncated.name(),
        }
    }

    /// Reads what the database says.
    pub(super) fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|ended| ended.name() == name).unwrap_or(Self::Failed)
    }
}

/// A text to filter by. PostgreSQL knows no NUL, and nothing in it has one.
///
/// # Errors
/// When there is one in it.
pub(super) fn text(name: &str, given: Option<String>) -> Result<Option<String>, Problem> {
    match given {
        Some(given) if given.contains('\0') => Err(Problem::field(name, "there is a NUL character in it")),
        given => Ok(given),
    }
}
