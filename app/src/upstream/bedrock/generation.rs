//! What a generation of Claude models on Bedrock takes and what it refuses: a table, read by the body bridge.

/// What a model on Bedrock is known to take, from what Claude Code itself sends it there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a row of a table of yes and no")]
pub struct Capabilities {
    /// `thinking.display`
    pub thinking_display: bool,
    /// `output_config` with an effort level
    pub effort: bool,
    /// Beta `interleaved-thinking-2025-05-14`
    pub interleaved_thinking: bool,
    /// Betas `thinking-token-count-2026-05-13` and `thinking-display-updates-2026-08-18`
    pub thinking_reports: bool,
    /// Beta `tool-search-tool-2025-10-19`
    pub tool_search: bool,
}

const NEWEST: Capabilities = Capabilities {
    thinking_display: true,
    effort: true,
    interleaved_thinking: true,
    thinking_reports: true,
    tool_search: true,
};

/// Rows by family (empty: all) and lowest version, the first that fits counts.
const ROWS: &[(&str, (u8, u8), Capabilities)] = &[
    ("", (5, 0), NEWEST),
    ("", (4, 6), Capabilities { thinking_display: false, thinking_reports: false, ..NEWEST }),
    (
        "haiku",
        (4, 0),
        Capabilities {
            thinking_display: false,
            effort: false,
            interleaved_thinking: false,
            thinking_reports: false,
            tool_search: true,
        },
    ),
    ("", (4, 0), Capabilities { thinking_display: false, effort: false, thinking_reports: false, ..NEWEST }),
    (
        "",
        (0, 0),
        Capabilities {
            thinking_display: false,
            effort: false,
            interleaved_thinking: false,
            thinking_reports: false,
            tool_search: false,
        },
    ),
];

/// The row of a Bedrock model id, profile or ARN. A name that says no version (an application inference profile)
/// gets the newest generation's row.
pub fn capabilities(model: &str) -> Capabilities {
    let Some((family, version)) = family_and_version(model) else { return NEWEST };
    let row = ROWS.iter().find(|(of, lowest, _)| (of.is_empty() || *of == family) && version >= *lowest);
    row.map_or(NEWEST, |(_, _, capabilities)| *capabilities)
}

/// Reads `claude-opus-4-6-v1` as opus 4.6, `claude-3-5-haiku-20241022` as haiku 3.5, `claude-opus-4-20250514` as 4.0.
fn family_and_version(model: &str) -> Option<(&str, (u8, u8))> {
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
    Some((family, (major, numbers.get(1).copied().unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_all_their_forms() {
        for (name, expected) in [
            ("global.anthropic.claude-opus-5-5", ("opus", (5, 5))),
            ("us.anthropic.claude-opus-4-6-v1", ("opus", (4, 6))),
            ("anthropic.claude-sonnet-4-5-20250929-v1:0", ("sonnet", (4, 5))),
            ("anthropic.claude-opus-4-20250514-v1:0", ("opus", (4, 0))),
            ("anthropic.claude-3-5-haiku-20241022-v1:0", ("haiku", (3, 5))),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
                ("haiku", (4, 5)),
            ),
            ("claude-sonnet-5", ("sonnet", (5, 0))),
        ] {
            assert_eq!(family_and_version(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn each_generation_has_its_row_and_the_unknown_the_newest() {
        assert_eq!(capabilities("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"), NEWEST);
        assert_eq!(capabilities("global.anthropic.claude-fable-5-2"), NEWEST);
        assert!(capabilities("us.anthropic.claude-opus-4-6-v1").effort);
        assert!(!capabilities("us.anthropic.claude-opus-4-6-v1").thinking_display);
        assert!(!capabilities("anthropic.claude-sonnet-4-5-20250929-v1:0").effort);
        assert!(!capabilities("anthropic.claude-haiku-4-5-20251001-v1:0").interleaved_thinking);
        assert!(!capabilities("anthropic.claude-3-5-haiku-20241022-v1:0").tool_search);
    }
}
