//! Families of models: what a plan limits together, and what one model can stand in for.

use serde::Deserialize;

/// A family. Names that are not known yet share one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
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

impl Family {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Fable, Self::Opus, Self::Sonnet, Self::Haiku, Self::Other];

    /// The family of a model, in whatever form its name comes.
    pub fn of(model: &str) -> Self {
        let named = Self::ALL.into_iter().find(|family| *family != Self::Other && model.contains(family.name()));
        named.unwrap_or(Self::Other)
    }

    /// The name, as it stands in the names of models and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fable => "fable",
            Self::Opus => "opus",
            Self::Sonnet => "sonnet",
            Self::Haiku => "haiku",
            Self::Other => "other",
        }
    }

    /// Reads the name of the database; an unknown one is of no known family.
    pub fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|family| family.name() == name).unwrap_or(Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_name_has_its_family() {
        for (model, expected) in [
            ("claude-opus-5-5", Family::Opus),
            ("claude-3-5-haiku-20241022", Family::Haiku),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Family::Sonnet),
            ("claude-fable-5-2[1m]", Family::Fable),
            ("my-custom-model", Family::Other),
            ("", Family::Other),
        ] {
            assert_eq!(Family::of(model), expected, "{model}");
        }
        for family in Family::ALL {
            assert_eq!(Family::parse(family.name()), family);
        }
    }
}
