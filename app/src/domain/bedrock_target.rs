//! What a call of Bedrock is sent to: a region and a model, both checked before they become part of a URL.

use serde::Deserialize;

/// Which of Bedrock's two interfaces to Claude is spoken.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// `InvokeModel` and `InvokeModelWithResponseStream`: a body of Bedrock's own form, answers in Amazon's event stream.
    #[default]
    Invoke,
    /// Anthropic's Messages API at Bedrock: the body of the Messages API, answers as server-sent events.
    Messages,
}

/// Where and with what Bedrock serves a new key unless something else is said.
pub const DEFAULT_REGION: &str = "ap-northeast-2";
/// The model of a new key unless another is named.
pub const DEFAULT_MODEL: &str = "global.anthropic.claude-opus-5-5";

/// A model in a region.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct BedrockTarget {
    /// AWS region, such as `us-east-1`.
    pub region: String,
    /// Bedrock model id, inference profile or ARN.
    pub model: String,
}

impl Dialect {
    /// The name in settings and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invoke => "invoke",
            Self::Messages => "messages",
        }
    }
}

impl std::str::FromStr for Dialect {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "invoke" => Ok(Self::Invoke),
            "messages" => Ok(Self::Messages),
            _ => Err("is no interface of Bedrock; write invoke or messages"),
        }
    }
}

/// Regions have the form `us-east-1`, `us-gov-west-1`, `ap-northeast-2`.
///
/// # Errors
/// A sentence that says what is expected.
pub fn check_region(text: &str) -> Result<(), String> {
    let parts: Vec<&str> = text.split('-').collect();
    let well_formed = (3..=5).contains(&parts.len())
        && text.len() <= 32
        && parts[..parts.len() - 1].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()))
        && parts[parts.len() - 1].parse::<u8>().is_ok_and(|number| number.to_string() == parts[parts.len() - 1]);
    if well_formed { Ok(()) } else { Err(format!("{text:?} is no AWS region; write it like us-east-1")) }
}

/// Models are ids (`anthropic.claude-...`), inference profiles (`global.anthropic.claude-...`) or ARNs.
///
/// # Errors
/// A sentence that says what is expected.
pub fn check_model(text: &str) -> Result<(), String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'/');
    let well_formed = (1..=256).contains(&text.len())
        && text.bytes().all(allowed)
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        // Slashes and colons in rows belong to ARNs.
        && (text.starts_with("arn:") || !text.contains('/'))
        && !text.contains("..");
    if well_formed {
        Ok(())
    } else {
        Err(format!(
            "{text:?} is no Bedrock model; write a profile such as global.anthropic.claude-opus-5-5, or an ARN"
        ))
    }
}

/// The same for a model that an administrator has chosen: ids and profiles name their maker. The short ids of application
/// profiles are told from the names of the Messages API by nothing, so those have to be written as ARNs.
///
/// # Errors
/// A sentence that says what is expected.
pub fn check_chosen_model(text: &str) -> Result<(), String> {
    check_model(text)?;
    if text.starts_with("arn:") || text.contains('.') {
        return Ok(());
    }
    Err(format!("{text:?} is a name of the Messages API; write Bedrock's, such as global.anthropic.{text}, or an ARN"))
}

/// An ARN can be asked for in its own region only.
///
/// # Errors
/// A sentence that says what is expected.
pub fn check_in_region(model: &str, region: &str) -> Result<(), String> {
    let of_arn = model.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2));
    match of_arn {
        Some(of_arn) if of_arn != region => {
            Err(format!("{model} is not in the region {region}; give the region {of_arn}, or another model"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_regions_pass_and_others_do_not() {
        for region in ["us-east-1", "ap-northeast-2", "us-gov-west-1", "eu-isoe-west-1"] {
            assert_eq!(check_region(region), Ok(()));
        }
        for region in
            ["", "us-east", "US-EAST-1", "us-east-1.evil.com", "us-east-1/", "us--1", "us-east-01", "a-b-c-d-e-1"]
        {
            assert!(check_region(region).is_err(), "{region}");
        }
    }

    #[test]
    fn a_chosen_model_is_one_of_bedrock() {
        assert_eq!(check_chosen_model("eu.anthropic.claude-sonnet-4-6"), Ok(()));
        assert_eq!(
            check_chosen_model("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/x"),
            Ok(())
        );
        assert!(check_chosen_model("claude-haiku-4-5").unwrap_err().contains("global.anthropic.claude-haiku-4-5"));
        assert!(check_chosen_model("a b").is_err());
    }

    #[test]
    fn real_models_pass_and_others_do_not() {
        for model in [
            "anthropic.claude-haiku-4-5-20251001-v1:0",
            "global.anthropic.claude-opus-5-5",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123",
        ] {
            assert_eq!(check_model(model), Ok(()));
        }
        for model in ["", "a b", "../x", "x/../y", "model?x=1", "a/b", "-x", "é"] {
            assert!(check_model(model).is_err(), "{model}");
        }
    }
}
