//! The differences that are meant, each with its reason. Every row has to be needed by some case.

use support::difference::Known;

/// `expected` is what the client itself sends to Bedrock, `found` what the proxy sends.
pub(crate) const KNOWN: &[Known] = &[
    Known {
        cases: &["*"],
        path: "system[0]",
        expected: Some("*\"text\":\"x-anthropic-billing-header: *"),
        found: None,
        reason: "Bedrock reserves the keyword of this block, and what differs in it from conversation to conversation \
                 would defeat the prompt cache, so the proxy takes it out",
    },
    Known {
        cases: &["*"],
        path: "tools[WebSearch]",
        expected: None,
        found: Some("*"),
        reason: "the client does not offer this tool where it knows that Bedrock answers; it is a tool of the client's \
                 own, so Bedrock takes its description",
    },
    Known {
        cases: &["*"],
        path: "messages[*].content*",
        expected: None,
        found: Some("WebSearch"),
        reason: "the same tool in the list of those that the model can search for",
    },
    Known {
        cases: WITHOUT_TOOL_SEARCH,
        path: "tools[*]",
        expected: None,
        found: Some("*"),
        reason: "the old client searches for tools at Bedrock, and behind a base URL of one's own only if told to",
    },
    Known {
        cases: WITHOUT_TOOL_SEARCH,
        path: "tools[ToolSearch]",
        expected: Some("*"),
        found: None,
        reason: "the tool for that",
    },
    Known {
        cases: WITHOUT_TOOL_SEARCH,
        path: "messages[0].content[0]",
        expected: Some("*The following deferred tools are now available via ToolSearch.*"),
        found: None,
        reason: "the list for that",
    },
    Known {
        cases: WITHOUT_TOOL_SEARCH,
        path: "anthropic_beta[tool-search-tool-2025-10-19]",
        expected: Some("*"),
        found: None,
        reason: "the beta feature for that",
    },
    Known {
        cases: &["no-betas-haiku-4-5", "old-haiku-4-5"],
        path: "anthropic_beta",
        expected: Some("[\"claude-code-20250219\"]"),
        found: None,
        reason: "for Haiku the client has this value in the body now and then; Bedrock refuses it for other models, so the \
                 proxy never sends it",
    },
];

/// Cases in which the old client searches for tools on one side only.
const WITHOUT_TOOL_SEARCH: &[&str] = &["old-sonnet-*", "old-opus-*"];
