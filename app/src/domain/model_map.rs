//! Which model of Bedrock stands for a model of the Messages API.

use super::bedrock_target::check_chosen_model;

/// A model that developers can ask for, and the one that serves it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MappedModel {
    /// Its name in the Messages API, without a date: `claude-opus-4-6`.
    pub name: String,
    /// Its name for people.
    pub display_name: String,
    /// Bedrock id without geography (`anthropic.claude-opus-4-6-v1`), or a whole profile or ARN.
    pub bedrock_model: String,
}

/// All models that are mapped, newest first.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct ModelMap {
    models: Vec<MappedModel>,
}

impl ModelMap {
    /// A map of the models whose Bedrock model can be part of a URL, and what is wrong with the others.
    pub fn of(models: Vec<MappedModel>) -> (Self, Vec<String>) {
        let mut wrong = Vec::new();
        let mut usable = |model: &MappedModel| match check_chosen_model(&model.bedrock_model) {
            Ok(()) => true,
            Err(what) => {
                wrong.push(format!("{}: {what}", model.name));
                false
            }
        };
        let models = models.into_iter().filter(|model| usable(model)).collect();
        (Self { models }, wrong)
    }

    /// The models, newest first.
    pub fn models(&self) -> &[MappedModel] {
        &self.models
    }

    /// The model of exactly that name, else that of the name without its date.
    pub fn find(&self, name: &str) -> Option<&MappedModel> {
        let exactly = |name: &str| self.models.iter().find(|model| model.name == name);
        exactly(name).or_else(|| exactly(undated(name)?))
    }
}

/// The name without `-20250929` or `-latest` at its end.
fn undated(name: &str) -> Option<&str> {
    let (rest, end) = name.rsplit_once('-')?;
    let is_date = end.len() == 8 && end.bytes().all(|b| b.is_ascii_digit());
    (is_date || end == "latest").then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> (ModelMap, Vec<String>) {
        let mapped = |(name, bedrock): &(&str, &str)| MappedModel {
            name: (*name).to_owned(),
            display_name: (*name).to_owned(),
            bedrock_model: (*bedrock).to_owned(),
        };
        ModelMap::of(pairs.iter().map(mapped).collect())
    }

    /// B-30
    #[test]
    fn names_are_found_whole_or_without_their_date_and_never_by_their_beginning() {
        let (map, wrong) =
            map(&[("claude-opus-4", "x.a"), ("claude-opus-4-6", "x.b"), ("claude-opus-4-6-20300101", "x.c")]);
        assert_eq!(wrong, Vec::<String>::new());
        let found = |name| map.find(name).map(|model| model.bedrock_model.as_str());
        for (name, expected) in [
            ("claude-opus-4", Some("x.a")),
            ("claude-opus-4-20250514", Some("x.a")),
            ("claude-opus-4-latest", Some("x.a")),
            ("claude-opus-4-6-20260205", Some("x.b")),
            ("claude-opus-4-6-20300101", Some("x.c")),
            ("claude-opus-4-8", None),
            ("claude-opus-4-6-v1", None),
            ("claude-opus-4-2025051", None),
            ("claude-opus", None),
            ("", None),
        ] {
            assert_eq!(found(name), expected, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_asked_for_is_left_out_and_told() {
        let (map, wrong) = map(&[("claude-x", "anthropic..x"), ("claude-y", "anthropic.y")]);
        assert_eq!((map.models().len(), wrong.len()), (1, 1));
        assert!(wrong[0].starts_with("claude-x: \"anthropic..x\" is no Bedrock model"), "{wrong:?}");
    }
}
