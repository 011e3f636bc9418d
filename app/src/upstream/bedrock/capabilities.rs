//! What each generation of Claude models on Bedrock takes: a table of data, built in and replaceable by a file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;

use super::generation::{Version, family_and_version};
use crate::domain::{Dialect, Family};

/// The table that comes with this version of the proxy, as JSON.
pub const BUILT_IN: &str = include_str!("capabilities.json");

/// Values of `thinking.type`.
const THINKING: [&str; 3] = ["adaptive", "enabled", "disabled"];
/// Levels of effort, the lowest first.
const EFFORTS: [&str; 5] = ["low", "medium", "high", "xhigh", "max"];

/// Everything that is known of what Bedrock takes.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// Names of beta features.
    pub betas: BetaNames,
    /// Edits of `context_management` that can be forwarded, with the beta each needs.
    pub context_edits: Vec<ContextEdit>,
    /// Tools that need one of these betas too.
    pub tool_betas: Vec<ToolBeta>,
    /// Fields at the top of a request that no model on Bedrock takes.
    pub refused_fields: Vec<String>,
    /// Beginnings of tool types that Anthropic runs itself, which Bedrock does not offer.
    pub refused_tools: Vec<String>,
    /// By generation; the first row that fits a model counts.
    rows: Vec<Row>,
}

/// Names of beta features.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BetaNames {
    /// Anthropic's name to Bedrock's.
    pub renamed: BTreeMap<String, String>,
    /// What is left of a list in which Bedrock refuses some value that it does not name.
    pub core: Vec<String>,
}

/// An edit of `context_management`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextEdit {
    /// Its `type`.
    pub r#type: String,
    /// The beta without which it is refused.
    pub beta: String,
    /// Where it can be forwarded.
    pub dialects: Vec<Dialect>,
}

/// A tool and its beta.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolBeta {
    /// Beginning of its type.
    pub r#type: String,
    /// The beta without which it is refused.
    pub beta: String,
}

/// What a generation takes.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a row of a table of yes and no")]
pub struct Row {
    /// The models, for people.
    pub models: String,
    /// Where this is known from.
    pub source: String,
    /// Family (empty: any) to the lowest version.
    families: BTreeMap<String, Version>,
    /// Values of `anthropic_beta`, in the order in which they are sent.
    pub betas: Vec<String>,
    /// Values of `thinking.type`.
    pub thinking: Vec<String>,
    /// `thinking.display`
    pub thinking_display: bool,
    /// Levels of `output_config.effort`, the lowest first; none: no such field.
    pub effort: Vec<String>,
    /// `temperature`, `top_p`, `top_k`
    pub sampling: bool,
    /// `tool_choice` of type `any` or `tool`
    pub forced_tool_choice: bool,
    /// Messages with role `system`
    pub system_messages: bool,
    /// `cache_control` at the top of the request
    pub automatic_cache: bool,
    /// `cache_control.ttl`
    pub cache_ttl: bool,
    /// `context_management`
    pub context_management: bool,
    /// Tools of type `tool_search_tool_...`
    pub tool_search: bool,
    /// The operation `CountTokens`
    pub count_tokens: bool,
    /// Largest `max_tokens`.
    pub max_tokens: u64,
}

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file.
    #[error("it cannot be read")]
    File(#[from] std::io::Error),
    /// The JSON or its form.
    #[error("it has another form")]
    Form(#[from] serde_json::Error),
    /// There must be a row for every model, and none after it.
    #[error("the last row, and no other, must fit every model: give it \"families\": {{\"\": \"0.0\"}}")]
    Gap,
    /// A word that means nothing here.
    #[error("{0:?} is no {1}; write one of {2}")]
    Word(String, &'static str, String),
}

impl Capabilities {
    /// The table that comes with this version.
    pub fn built_in() -> &'static Self {
        #[expect(clippy::expect_used, reason = "a test reads the same constant")]
        static TABLE: LazyLock<Capabilities> = LazyLock::new(|| Capabilities::parse(BUILT_IN).expect("a good table"));
        &TABLE
    }

    /// Reads the table in a file, or the built-in one where there is none.
    ///
    /// # Errors
    /// When the file cannot be read or has another form.
    pub fn load(file: Option<&Path>) -> Result<Self, TableError> {
        match file {
            Some(path) => {
                let table = Self::parse(&std::fs::read_to_string(path)?)?;
                tracing::info!(file = %path.display(), rows = table.rows.len(), "the table of capabilities is replaced");
                Ok(table)
            }
            None => Ok(Self::built_in().clone()),
        }
    }

    /// Reads a table.
    ///
    /// # Errors
    /// When the text has another form, or leaves models without a row.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        let table: Self = serde_json::from_str(text)?;
        let last = table.rows.iter().position(|row| row.families.get("") == Some(&Version(0, 0)));
        if last.is_none_or(|last| last + 1 != table.rows.len()) {
            return Err(TableError::Gap);
        }
        let families: Vec<&str> = Family::ALL.iter().map(|family| family.name()).chain([""]).collect();
        for row in &table.rows {
            known("family", &families, row.families.keys())?;
            known("way of thinking", &THINKING, &row.thinking)?;
            known("level of effort", &EFFORTS, &row.effort)?;
        }
        Ok(table)
    }

    /// The row of a Bedrock model id, profile or ARN. A name that says no version (an application inference profile)
    /// gets the newest generation's row, which is the first.
    pub fn row(&self, model: &str) -> &Row {
        let fits = |row: &&Row| match family_and_version(model) {
            None => true,
            Some((family, version)) => {
                row.families.iter().any(|(of, lowest)| (of.is_empty() || of == family) && version >= *lowest)
            }
        };
        #[expect(clippy::expect_used, reason = "`parse` makes sure that the last row fits everything")]
        self.rows.iter().find(fits).expect("a row for every model")
    }

    /// Bedrock's name of a beta feature.
    pub fn renamed<'n>(&'n self, beta: &'n str) -> &'n str {
        self.betas.renamed.get(beta).map_or(beta, String::as_str)
    }

    /// Whether tools of that type are Anthropic's own.
    pub fn refuses_tool(&self, kind: &str) -> bool {
        self.refused_tools.iter().any(|beginning| kind.starts_with(beginning.as_str()))
    }
}

fn known<'w>(
    what: &'static str,
    words: &[&str],
    found: impl IntoIterator<Item = &'w String>,
) -> Result<(), TableError> {
    let unknown = found.into_iter().find(|word| !words.contains(&word.as_str()));
    unknown.map_or(Ok(()), |word| Err(TableError::Word(word.clone(), what, words.join(", "))))
}

impl Row {
    /// The level of effort that is served for one that was asked for: itself, else the next lower one, else the lowest.
    /// A level that nobody has heard of is left to the model.
    pub fn effort_for<'l>(&'l self, asked: &'l str, refused: impl Fn(&str) -> bool) -> Option<Cow<'l, str>> {
        let taken = |level: &&String| !refused(level.as_str());
        if self.effort.is_empty() {
            return None;
        }
        let rank = |level: &str| EFFORTS.iter().position(|known| *known == level);
        let Some(asked_rank) = rank(asked) else {
            let replaced =
                refused(asked).then(|| self.effort.iter().rfind(taken)).map(|level| level.map(String::as_str));
            return replaced.unwrap_or(Some(asked)).map(Cow::Borrowed);
        };
        let lower =
            self.effort.iter().filter(taken).rfind(|level| rank(level.as_str()).is_some_and(|r| r <= asked_rank));
        lower.or_else(|| self.effort.iter().find(taken)).map(|level| Cow::Borrowed(level.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(model: &str) -> &'static Row {
        Capabilities::built_in().row(model)
    }

    #[test]
    fn each_generation_has_its_row_and_the_unknown_the_newest() {
        let newest = &Capabilities::built_in().rows[0];
        for (model, expected) in [
            ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc", newest.models.as_str()),
            ("global.anthropic.claude-opus-5-5", newest.models.as_str()),
            ("global.anthropic.claude-fable-5-2", newest.models.as_str()),
            ("global.anthropic.claude-opus-7", newest.models.as_str()),
            ("anthropic.claude-fable-5", "haiku 5.5 and later; opus, sonnet, fable 5.0"),
            ("anthropic.claude-haiku-5-5", "haiku 5.5 and later; opus, sonnet, fable 5.0"),
            ("us.anthropic.claude-opus-4-8", "4.8"),
            ("us.anthropic.claude-opus-4-7", "4.7"),
            ("us.anthropic.claude-opus-4-6-v1", "4.6"),
            ("anthropic.claude-opus-4-5-20251101-v1:0", "opus and sonnet 4.5"),
            ("anthropic.claude-sonnet-4-5-20250929-v1:0", "opus and sonnet 4.5"),
            ("anthropic.claude-haiku-4-5-20251001-v1:0", "haiku 4.5"),
            ("anthropic.claude-sonnet-4-20250514-v1:0", "sonnet 4"),
            ("us.anthropic.claude-opus-4-1-20250805-v1:0", "opus 4 and 4.1"),
            ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", "sonnet 3.7"),
            ("anthropic.claude-3-5-haiku-20241022-v1:0", "everything before"),
        ] {
            assert_eq!(row(model).models, expected, "{model}");
        }
    }

    #[test]
    fn a_level_of_effort_becomes_the_next_lower_one() {
        let none = |_: &str| false;
        let four_six = row("anthropic.claude-opus-4-6-v1");
        assert_eq!(four_six.effort_for("xhigh", none).as_deref(), Some("high"));
        assert_eq!(four_six.effort_for("max", none).as_deref(), Some("max"));
        assert_eq!(four_six.effort_for("max", |level| level == "max").as_deref(), Some("high"));
        assert_eq!(four_six.effort_for("low", |level| level == "low").as_deref(), Some("medium"));
        assert_eq!(four_six.effort_for("brand-new", none).as_deref(), Some("brand-new"));
        assert_eq!(four_six.effort_for("brand-new", |level| level == "brand-new").as_deref(), Some("max"));
        for level in ["low", "brand-new"] {
            assert_eq!(row("anthropic.claude-sonnet-4-5-20250929-v1:0").effort_for(level, none), None);
        }
    }

    #[test]
    fn a_table_of_another_form_is_refused_with_a_reason() {
        let with = |from: &str, to: &str| {
            assert!(BUILT_IN.contains(from));
            let error = anyhow::Error::from(Capabilities::parse(&BUILT_IN.replace(from, to)).unwrap_err());
            format!("{error:#}")
        };
        assert!(with(r#""sampling""#, r#""sampled""#).contains("unknown field `sampled`"));
        assert!(with(r#""0.0""#, r#""one""#).contains("write a version like 4.5"));
        assert!(with(r#""0.0""#, r#""0.1""#).contains("must fit every model"));
        assert!(with(r#"{ "": "5.0" }"#, r#"{ "": "0.0" }"#).contains("and no other"), "rows behind it would be dead");
        assert!(
            with(r#""opus": "5.5""#, r#""opsu": "5.5""#).contains("\"opsu\" is no family; write one of fable, opus")
        );
        assert!(with(r#"["adaptive"]"#, r#"["sometimes"]"#).contains("is no way of thinking"));
        assert!(with(r#""xhigh""#, r#""mild""#).contains("is no level of effort"));
        assert!(with(r#"["invoke", "messages"]"#, r#"["converse"]"#).contains("converse"));
    }
}
