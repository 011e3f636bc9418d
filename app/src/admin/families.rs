//! Families of models, as the admin API writes them.

use poem_openapi::Enum;

use crate::domain;

/// A family of models.
#[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
#[oai(rename_all = "snake_case")]
pub(super) enum Family {
    /// `claude-fable-...`
    Fable,
    /// `claude-opus-...`
    Opus,
    /// `claude-sonnet-...`
    Sonnet,
    /// `claude-haiku-...`
    Haiku,
    /// Anything else.
    Other,
}

impl From<Family> for domain::Family {
    fn from(family: Family) -> Self {
        match family {
            Family::Fable => Self::Fable,
            Family::Opus => Self::Opus,
            Family::Sonnet => Self::Sonnet,
            Family::Haiku => Self::Haiku,
            Family::Other => Self::Other,
        }
    }
}

impl From<domain::Family> for Family {
    fn from(family: domain::Family) -> Self {
        match family {
            domain::Family::Fable => Self::Fable,
            domain::Family::Opus => Self::Opus,
            domain::Family::Sonnet => Self::Sonnet,
            domain::Family::Haiku => Self::Haiku,
            domain::Family::Other => Self::Other,
        }
    }
}
