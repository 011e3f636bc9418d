//! Reads which model a Bedrock id, profile or ARN names: its family and its version.

use serde::Deserialize;

/// Major and minor number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Version(pub(super) u8, pub(super) u8);

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = || {
            let (major, minor) = text.split_once('.')?;
            Some(Self(major.parse().ok()?, minor.parse().ok()?))
        };
        read().ok_or_else(|| format!("{text:?} is no version; write a version like 4.5"))
    }
}

/// Reads `claude-opus-4-6-v1` as opus 4.6, `claude-3-5-haiku-20241022` as haiku 3.5, `claude-opus-4-20250514` as 4.0.
/// `None` when the name says no version.
pub(super) fn family_and_version(model: &str) -> Option<(&str, Version)> {
    let (_, name) = model.rsplit_once("claude-")?;
    let mut family = "";
    let mut numbers = Vec::new();
    for part in name.split(['-', ':', '@']) {
        match part.parse::<u8>() {
            Ok(number) if part.len() <= 2 => numbers.push(number),
            // A date or a revision: the version is over.
            _ if !numbers.is_empty() && !family.is_empty() => break,
            _ if family.is_empty() => family = part,
            _ => break,
        }
    }
    let major = *numbers.first()?;
    Some((family, Version(major, numbers.get(1).copied().unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_all_their_forms() {
        for (name, expected) in [
            ("global.anthropic.claude-opus-5-5", ("opus", Version(5, 5))),
            ("us.anthropic.claude-opus-4-6-v1", ("opus", Version(4, 6))),
            ("anthropic.claude-sonnet-4-5-20250929-v1:0", ("sonnet", Version(4, 5))),
            ("anthropic.claude-opus-4-20250514-v1:0", ("opus", Version(4, 0))),
            ("anthropic.claude-3-5-haiku-20241022-v1:0", ("haiku", Version(3, 5))),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
                ("haiku", Version(4, 5)),
            ),
            ("claude-sonnet-5", ("sonnet", Version(5, 0))),
        ] {
            assert_eq!(family_and_version(name), Some(expected), "{name}");
        }
        for name in ["", "my-custom-model", "claude-next", "application-inference-profile/abc123"] {
            assert_eq!(family_and_version(name), None, "{name}");
        }
    }
}
