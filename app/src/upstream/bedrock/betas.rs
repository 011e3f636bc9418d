//! Which beta features of a request go on to Bedrock, and under which names.

use http::HeaderMap;

use super::generation::Capabilities;
use crate::wire::headers::ANTHROPIC_BETA;

const INTERLEAVED: &str = "interleaved-thinking-2025-05-14";
const TOOL_SEARCH: &str = "tool-search-tool-2025-10-19";
const TOKEN_COUNT: &str = "thinking-token-count-2026-05-13";
const DISPLAY_UPDATES: &str = "thinking-display-updates-2026-08-18";

/// What Bedrock is known to take, in the order in which Claude Code lists it there. Everything else stays behind:
/// one unknown value would fail the whole request.
const ACCEPTED: &[&str] = &[
    INTERLEAVED,
    TOOL_SEARCH,
    TOKEN_COUNT,
    DISPLAY_UPDATES,
    "dangerous-tool-use-2026-09-03",
    "afk-mode-2026-01-31",
    "context-1m-2025-08-07",
    "fine-grained-tool-streaming-2025-05-14",
    "computer-use-2025-01-24",
    "computer-use-2025-11-24",
    "token-efficient-tools-2025-02-19",
    "output-128k-2025-02-19",
    "dev-full-thinking-2025-05-14",
    "tool-examples-2025-10-29",
    "compact-2026-01-12",
    "thinking-binding-controls-2026-08-01",
    "fallback-credit-2026-06-01",
];

/// Features that have another name on Bedrock.
const RENAMED: &[(&str, &str)] =
    &[("advanced-tool-use-2025-11-20", TOOL_SEARCH), ("fallback-credit-2026-07-01", "fallback-credit-2026-06-01")];

/// The values for `anthropic_beta`: from every header line, renamed, without duplicates, and only what the model takes.
pub fn for_bedrock(headers: &HeaderMap, model: Capabilities) -> Vec<&'static str> {
    let asked: Vec<&str> = headers
        .get_all(ANTHROPIC_BETA)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .map(|name| RENAMED.iter().find(|(from, _)| *from == name).map_or(name, |(_, to)| to))
        .collect();
    ACCEPTED.iter().copied().filter(|name| asked.contains(name) && taken_by(model, name)).collect()
}

fn taken_by(model: Capabilities, name: &str) -> bool {
    match name {
        INTERLEAVED => model.interleaved_thinking,
        TOOL_SEARCH => model.tool_search,
        TOKEN_COUNT | DISPLAY_UPDATES => model.thinking_reports,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::bedrock::generation::capabilities;

    fn bridged(lines: &[&str], model: &str) -> Vec<&'static str> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ANTHROPIC_BETA, line.parse().unwrap());
        }
        for_bedrock(&headers, capabilities(model))
    }

    /// What Claude Code 2.1.330 sends to the plan.
    const CLIENT: &str = "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,\
        per-turn-control-2026-07-01,mid-conversation-tool-changes-2026-07-01,thinking-token-count-2026-05-13,\
        advanced-tool-use-2025-11-20,effort-2025-11-24";

    #[test]
    fn the_list_is_what_the_client_itself_sends_to_bedrock() {
        assert_eq!(bridged(&[CLIENT], "us.anthropic.claude-opus-5-5"), [INTERLEAVED, TOOL_SEARCH, TOKEN_COUNT]);
        assert_eq!(bridged(&[CLIENT], "us.anthropic.claude-opus-4-6-v1"), [INTERLEAVED, TOOL_SEARCH]);
        assert_eq!(bridged(&[CLIENT], "us.anthropic.claude-haiku-4-5-20251001-v1:0"), [TOOL_SEARCH]);
    }

    /// B-04: values come on several header lines.
    #[test]
    fn several_header_lines_are_one_list() {
        let lines = ["interleaved-thinking-2025-05-14, made-up-2030-01-01", "context-1m-2025-08-07"];
        assert_eq!(bridged(&lines, "claude-opus-5-5"), [INTERLEAVED, "context-1m-2025-08-07"]);
    }

    /// B-03: both names of one feature are one value.
    #[test]
    fn renamed_features_come_once() {
        assert_eq!(
            bridged(&["advanced-tool-use-2025-11-20,tool-search-tool-2025-10-19"], "claude-opus-5-5"),
            [TOOL_SEARCH]
        );
    }
}
