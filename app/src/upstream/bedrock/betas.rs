//! Which beta features of a request go on to Bedrock, and under which names.

use http::HeaderMap;

use super::bridge::Rules;
use crate::domain::RefusalKind;
use crate::wire::headers::ANTHROPIC_BETA;

/// The values of all header lines as Bedrock names them, without duplicates.
pub(super) fn asked<'h>(headers: &'h HeaderMap, rules: &Rules<'h>) -> Vec<&'h str> {
    let lines = headers.get_all(ANTHROPIC_BETA).iter().filter_map(|line| line.to_str().ok());
    let names = lines.flat_map(|line| line.split(',')).map(str::trim).filter(|name| !name.is_empty());
    let mut asked: Vec<&str> = names.map(|name| rules.table.renamed(name)).collect();
    asked.sort_unstable();
    asked.dedup();
    asked
}

/// Those of the asked values that the model is known to take, in the order in which Claude Code itself lists them
/// there. Everything else stays behind: one unknown value would fail the whole request.
pub(super) fn taken<'r>(asked: &[&str], rules: &Rules<'r>) -> Vec<&'r str> {
    let refused = |name: &str| rules.refuses(RefusalKind::Beta, name);
    let only_core = refused("*");
    let core = &rules.table.betas.core;
    let values = rules.row.betas.iter().map(String::as_str);
    values
        .filter(|name| asked.binary_search(name).is_ok())
        .filter(|name| !refused(name) && (!only_core || core.iter().any(|kept| kept == name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERLEAVED: &str = "interleaved-thinking-2025-05-14";
    const TOOL_SEARCH: &str = "tool-search-tool-2025-10-19";
    const TOKEN_COUNT: &str = "thinking-token-count-2026-05-13";
    const OPUS_5: &str = "us.anthropic.claude-opus-5-5";

    fn with(lines: &[&str], rules: &Rules<'_>) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ANTHROPIC_BETA, line.parse().unwrap());
        }
        taken(&asked(&headers, rules), rules).into_iter().map(str::to_owned).collect()
    }

    fn bridged(lines: &[&str], model: &str) -> Vec<String> {
        with(lines, &Rules::of(model))
    }

    /// What Claude Code 2.1.330 sends to the plan.
    const CLIENT: &str = "claude-code-20250219,interleaved-thinking-2025-05-14,\
        per-turn-control-2026-07-01,mid-conversation-tool-changes-2026-07-01,thinking-token-count-2026-05-13,\
        advanced-tool-use-2025-11-20,effort-2025-11-24";

    /// B-01: only what the model takes, and nothing that nobody knows.
    #[test]
    fn the_list_is_what_the_client_itself_sends_to_bedrock() {
        assert_eq!(bridged(&[CLIENT], OPUS_5), [INTERLEAVED, TOOL_SEARCH, TOKEN_COUNT]);
        assert_eq!(bridged(&[CLIENT], "us.anthropic.claude-opus-4-6-v1"), [INTERLEAVED, TOOL_SEARCH]);
        assert_eq!(bridged(&[CLIENT], "us.anthropic.claude-haiku-4-5-20251001-v1:0"), [TOOL_SEARCH]);
        assert_eq!(bridged(&["made-up-2030-01-01"], OPUS_5), [] as [&str; 0]);
    }

    /// B-04: values come on several header lines.
    #[test]
    fn several_header_lines_are_one_list() {
        let lines = ["interleaved-thinking-2025-05-14, made-up-2030-01-01", "thinking-token-count-2026-05-13,,"];
        assert_eq!(bridged(&lines, OPUS_5), [INTERLEAVED, TOKEN_COUNT]);
    }

    /// B-03: Bedrock has other names for some, and wants each once.
    #[test]
    fn renamed_features_come_once() {
        let lines = ["advanced-tool-use-2025-11-20,tool-search-tool-2025-10-19"];
        assert_eq!(bridged(&lines, OPUS_5), [TOOL_SEARCH]);
        assert_eq!(bridged(&["fallback-credit-2026-07-01"], OPUS_5), ["fallback-credit-2026-06-01"]);
    }

    /// B-02: what a model has refused is left out; where it named nothing, all but the core is.
    #[test]
    fn what_was_refused_is_left_out() {
        use crate::domain::Refusal;
        let one = [Refusal::new(RefusalKind::Beta, TOOL_SEARCH)];
        assert_eq!(with(&[CLIENT], &Rules { refusals: &one, ..Rules::of(OPUS_5) }), [INTERLEAVED, TOKEN_COUNT]);
        let all = [Refusal::new(RefusalKind::Beta, "*")];
        assert_eq!(with(&[CLIENT], &Rules { refusals: &all, ..Rules::of(OPUS_5) }), [INTERLEAVED, TOOL_SEARCH]);
    }
}
