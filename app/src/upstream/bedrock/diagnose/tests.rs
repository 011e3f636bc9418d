//! Every wording that is known, as Bedrock and the Messages API write it, and what it comes to.

use RefusalKind::{Beta, CountTokens, Effort, Field, ThinkingBlocks, ThinkingType, ToolChoice, ToolType};

use super::*;

const ADVICE: &str = r#"Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior."#;

fn check(message: &str, kind: RefusalKind, names: &[&str], always: bool) {
    let mut names: Vec<&str> = names.to_vec();
    names.sort_unstable();
    let told = diagnose(message).unwrap_or_else(|| panic!("no diagnosis: {message}"));
    let found: Vec<(RefusalKind, &str)> = told.refusals.iter().map(|r| (r.kind, r.name.as_str())).collect();
    let expected: Vec<(RefusalKind, &str)> = names.into_iter().map(|name| (kind, name)).collect();
    assert_eq!((found, told.always), (expected, always), "{message}");
}

/// B-01, B-02: flags are named or not; where they are not, everything but the core is in doubt.
#[test]
fn betas() {
    for (message, names) in [
        ("invalid beta flag", &["*"][..]),
        ("The model returned the following errors: invalid beta flag", &["*"]),
        (r#"{"message":"invalid beta flag"}"#, &["*"]),
        ("invalid beta flag: mcp-servers-2025-12-04", &["mcp-servers-2025-12-04"]),
        (
            "Unexpected value(s) `a-2030-01-01`, `claude-code-20250219` for the `anthropic-beta` header. Please consult our documentation at platform.claude.com/docs or try again without the header.",
            &["a-2030-01-01", "claude-code-20250219"],
        ),
        ("Unexpected value(s) `no-date` for the `anthropic-beta` header.", &["no-date"]),
        ("anthropic_beta: Input should be a valid list", &["*"]),
        ("anthropic_beta.0: compact-2026-01-12 is not supported for this model", &["compact-2026-01-12"]),
        ("Unexpected value(s) `` for the `anthropic-beta` header.", &["*"]),
    ] {
        check(message, Beta, names, true);
    }
}

/// B-06, B-08, B-09, B-11, B-18, B-25, B-26
#[test]
fn fields() {
    for (message, names) in [
        ("context_management: Extra inputs are not permitted", &["context_management"][..]),
        ("The model returned the following errors: guardrails: Extra inputs are not permitted", &["guardrails"]),
        ("tools.0.custom.strict: Extra inputs are not permitted", &["tools.strict"]),
        ("tools.11.custom.defer_loading: Extra inputs are not permitted", &["tools.defer_loading"]),
        ("tools.3.custom.input_examples: Extra inputs are not permitted", &["tools.input_examples"]),
        ("messages.1.output_config: Extra inputs are not permitted", &["messages.output_config"]),
        ("messages.3.content.1.tool_use.caller: Extra inputs are not permitted", &["messages.caller"]),
        ("output_config.effort: Extra inputs are not permitted", &["output_config.effort"]),
        ("output_config.format: Extra inputs are not permitted", &["output_config.format"]),
        ("thinking.adaptive.display: Extra inputs are not permitted", &["thinking.display"]),
        ("cache_control: Extra inputs are not permitted", &["cache_control"]),
        ("system.0.cache_control.ephemeral.scope: Extra inputs are not permitted", &["cache_control.scope"]),
        (
            "messages.0.content.0.tool_result.content.0.text.cache_control.ephemeral.ttl: Extra inputs are not permitted",
            &["cache_control.ttl"],
        ),
        ("max_tokens_to_sample: Extra inputs are not permitted", &["max_tokens_to_sample"]),
        (
            "Malformed input request: #: extraneous key [output_config] is not permitted, please reformat your input and try again.",
            &["output_config"],
        ),
        (
            r#"Malformed input request: #: subject must not be valid against schema {"required":["messages"]}#: extraneous key [speed] is not permitted, please reformat your input and try again."#,
            &["speed"],
        ),
        ("#: extraneous key [a] is not permitted#: extraneous key [b] is not permitted", &["a", "b"]),
        (
            "Malformed input request: #/messages/0/content/0: extraneous key [citations] is not permitted",
            &["messages.citations"],
        ),
        ("extraneous key [output_config] is not permitted", &["output_config"]),
        (
            r#"The model returned the following errors: {"type":"error","error":{"type":"invalid_request_error","message":"speed: Extra inputs are not permitted"}}"#,
            &["speed"],
        ),
        ("This model does not support the effort parameter.", &["output_config.effort"]),
        (
            "1 validation error detected: Value at 'requestMetadata' failed to satisfy constraint: Map value must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z0-9\\s:_@$#=/+,-.]{0,256}]",
            &["metadata.user_id"],
        ),
        ("metadata.user_id: string should match pattern", &["metadata.user_id"]),
        ("`temperature` is deprecated for this model.", &["temperature"]),
        ("top_k is not supported for this model", &["top_k"]),
        ("`temperature` and `top_p` are not supported for this model.", &["temperature", "top_p"]),
        ("Strict tools are not supported for this model", &["tools.strict"]),
        ("cache_control: ttl 1h is not supported for this model", &["cache_control.ttl"]),
    ] {
        check(message, Field, names, true);
    }
}

/// What is refused only beside something else is left out of this request and of no other.
#[test]
fn fields_in_the_wrong_company() {
    for (message, name) in [
        ("`temperature` and `top_p` cannot both be specified for this model. Please use only one.", "top_p"),
        ("`temperature` may only be set to 1 when thinking is enabled.", "temperature"),
        ("`top_k` must be unset when thinking is enabled", "top_k"),
        // B-20
        (
            "messages.2.content.0.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.",
            "cache_control.ttl",
        ),
        ("`clear_thinking_20251015` strategy requires `thinking` to be enabled or adaptive", "context_management"),
        ("context_management: edits may not be empty", "context_management"),
        ("metadata.user_id: String should have at most 256 characters", "metadata.user_id"),
        // Something inside of a field, and a variant that has less than the others.
        (
            "context_management.edits.0.clear_thinking_20251015.keep: Extra inputs are not permitted",
            "context_management",
        ),
        ("thinking.disabled.display: Extra inputs are not permitted", "thinking.display"),
    ] {
        check(message, Field, &[name], false);
    }
}

/// B-35, B-36: all wordings, with quotes and without.
#[test]
fn thinking_blocks_of_somebody_else() {
    for message in [
        "messages.1.content.0: Invalid `signature` in `thinking` block",
        "messages.1.content.0: Invalid signature in thinking block",
        "messages.1.content.0: Invalid `data` in `redacted_thinking` block",
        "messages.3.content.0.thinking.signature: Field required",
        "messages.7.content.34: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.",
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.",
        "messages.1.content.0.type: Expected 'thinking' or 'redacted_thinking', but found 'tool_use'.",
        "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior` to \"drop_block\". That setting requires the `thinking-binding-controls-2026-08-01` value in the `anthropic-beta` header.",
        "The block is bound to a different conversation.",
    ] {
        check(message, ThinkingBlocks, &["*"], false);
    }
}

/// B-14, B-16
#[test]
fn types_of_thinking() {
    for (message, names) in [
        (format!(r#""thinking.type.enabled" is not supported for this model. {ADVICE}"#), &["enabled"][..]),
        (format!(r#""thinking.type.disabled" is not supported for this model. {ADVICE}"#), &["disabled"]),
        ("thinking: Input tag 'adaptive' found using 'type' does not match any of the expected tags: 'disabled', 'enabled'".to_owned(), &["adaptive"]),
        ("Input tag 'adaptive' found using 'type' does not match any of the expected tags: 'disabled', 'enabled'".to_owned(), &["adaptive"]),
        ("adaptive thinking is not supported on this model".to_owned(), &["adaptive"]),
        ("thinking.type: 'disabled' is not supported for this model".to_owned(), &["disabled"]),
        ("thinking.type: Input should be 'adaptive' or 'enabled'".to_owned(), &["disabled"]),
    ] {
        check(&message, ThinkingType, names, true);
    }
}

/// B-10
#[test]
fn levels_of_effort() {
    for (message, names) in [
        ("output_config.effort: Input should be 'low', 'medium' or 'high'", &["max", "xhigh"][..]),
        ("output_config.effort: Input should be 'low', 'medium', 'high' or 'max'", &["xhigh"]),
        (
            r#"output_config.effort "xhigh" is not supported by model claude-opus-4.7; supported values: [medium]"#,
            &["xhigh"],
        ),
        ("output_config.effort: level 'max' is not supported for this model", &["max"]),
    ] {
        check(message, Effort, names, true);
    }
}

/// B-12, B-13
#[test]
fn types_of_tools() {
    for (message, names) in [
        (
            "tool type 'tool_search_tool_regex_20251119' is not supported for this model",
            &["tool_search_tool_regex_20251119"][..],
        ),
        (
            "'claude-opus-5-5' does not support tool types: computer_20251124, bash_20250124. Did you mean one of computer_20260901?",
            &["bash_20250124", "computer_20251124"],
        ),
        (
            "tools.2: Input tag 'web_search_20250305' found using 'type' does not match any of the expected tags: 'bash_20250124', 'custom'",
            &["web_search_20250305"],
        ),
    ] {
        check(message, ToolType, names, true);
    }
}

/// B-16
#[test]
fn tools_that_are_forced() {
    check(
        r#"tool_choice: type "tool" and "any" are not supported for this model."#,
        ToolChoice,
        &["any", "tool"],
        true,
    );
    check("tool_choice.any: not supported for this model", ToolChoice, &["any"], true);
    let together =
        "The model returned the following errors: Thinking may not be enabled when tool_choice forces tool use.";
    check(together, ToolChoice, &["any", "tool"], false);
}

/// B-71
#[test]
fn counting_tokens() {
    check("The provided model doesn't support counting tokens.", CountTokens, &["*"], true);
}

/// Neither what only the developer can mend, nor what a request is made of, nor names that nobody would give a field.
#[test]
fn what_is_not_repaired() {
    for message in [
        "",
        "{",
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "Input is too long for requested model.",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        "messages: Extra inputs are not permitted",
        "safeguards: Extra inputs are not permitted",
        "messages.0.content.0.text.cache_control.ephemeral.ttl: Input should be '5m' or '1h'",
        "tool_choice.tool.name: Tool 'not supported' was not found",
        "max_tokens: Extra inputs are not permitted",
        "messages.0.content.0.text.signature: Extra inputs are not permitted",
        "messages.0.content.0.tool_use.input.x: Extra inputs are not permitted",
        "messages.1.content.0.thinking.cache_control: Extra inputs are not permitted",
        "tools.0.custom.input_schema.type: Extra inputs are not permitted",
        "tools.0.custom.name: Extra inputs are not permitted",
        "A-B: Extra inputs are not permitted",
        "UPPER: Extra inputs are not permitted",
        "#: extraneous key [an injected\nline] is not permitted",
        "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        "`max_tokens` must be greater than `thinking.budget_tokens`.",
        "thinking: Input tag 'made_up' found using 'type' does not match any of the expected tags: 'disabled', 'enabled'",
        "output_config.effort: 'max' is only supported when thinking is adaptive",
        "messages.2: `tool_use` ids were found without `tool_result` blocks immediately after: anthropic_beta.",
        "temperature: range: 0..1",
        "messages: text content blocks must be non-empty",
        "messages.0.content.0: Input tag 'brand_new' found using 'type' does not match any of the expected tags: 'text'",
        "The provided model identifier is invalid.",
        "Invocation of model ID x with on-demand throughput isn't supported.",
    ] {
        assert_eq!(diagnose(message), None, "{message}");
    }
    assert_eq!(diagnose(&format!("{}: Extra inputs are not permitted", "x".repeat(65))), None);
    assert_eq!(diagnose(&format!("{}é: Extra inputs are not permitted", "é".repeat(READ))), None);
}

/// Values of the client's that read like refusals are no word of the model's.
#[test]
fn what_the_client_said_is_not_held_for_a_refusal() {
    let echo = |value: &str| {
        format!("thinking: Input tag '{value}' found using 'type' does not match any of the expected tags: 'adaptive'")
    };
    for value in ["thinking: Extra inputs are not permitted", "a', temperature: Extra inputs are not permitted"] {
        assert_eq!(diagnose(&echo(value)), None, "{value}");
    }
    let quoted = diagnose("The tool 'x, tool_choice: Extra inputs are not permitted' was not found").unwrap();
    assert!(!quoted.always, "tried once, and not remembered");
}

/// However much a message names, the list stays short.
#[test]
fn a_flood_of_names_is_cut() {
    let violations: Vec<String> = (0..100).map(|n| format!("#: extraneous key [f{n}] is not permitted")).collect();
    assert_eq!(diagnose(&violations.concat()).unwrap().refusals.len(), MOST);
}
