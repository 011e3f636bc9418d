//! Reads from the words of a 400 what the model refuses, and so what to leave out of a second try.
//!
//! The order of the rules matters: a wording often names several things, of which one is at fault and the others are
//! advice. What no rule knows is nobody's to repair, and the client hears it.
//!
//! Some wordings repeat what the client has sent, which may itself read like a refusal. So what is held for a property of
//! the model has to stand where the model speaks, and what is merely wrong in one request is never held for one.

mod path;

use std::borrow::Cow;

use crate::domain::{Refusal, RefusalKind};

/// Bytes of a message that are read; the wordings stand at the beginning.
const READ: usize = 8 << 10;
/// Refusals that one message can name.
const MOST: usize = 16;
/// Every level of `output_config.effort`.
const EFFORTS: &[&str] = &["low", "medium", "high", "xhigh", "max"];
/// Every value of `thinking.type`.
const THINKING_TYPES: &[&str] = &["adaptive", "enabled", "disabled"];
/// The types of `tool_choice` that force a tool.
const FORCED: &[&str] = &["any", "tool"];
/// Parameters of sampling, the one that two of them can do without last.
const SAMPLING: &[&str] = &["temperature", "top_k", "top_p"];

/// What a model refused, as far as its words tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnosis {
    /// At least one, all of one kind.
    pub refusals: Vec<Refusal>,
    /// Whether the model refuses it always, and not only together with something else in this request.
    pub always: bool,
}

impl Diagnosis {
    fn always(kind: RefusalKind, name: impl Into<String>) -> Self {
        Self { refusals: vec![Refusal::new(kind, name)], always: true }
    }

    fn in_this_company(kind: RefusalKind, name: impl Into<String>) -> Self {
        Self { always: false, ..Self::always(kind, name) }
    }

    /// `None` without a name.
    fn of(kind: RefusalKind, names: impl IntoIterator<Item = impl Into<String>>) -> Option<Self> {
        let mut refusals: Vec<Refusal> = names.into_iter().take(MOST).map(|name| Refusal::new(kind, name)).collect();
        refusals.sort_unstable();
        refusals.dedup();
        (!refusals.is_empty()).then_some(Self { refusals, always: true })
    }
}

/// Reads the message of a `ValidationException`.
pub fn diagnose(message: &str) -> Option<Diagnosis> {
    let text = plain(&inner(message));
    let text = text.trim_start_matches("The model returned the following errors: ");
    let text = text.trim_start_matches("Malformed input request: ");
    let rules: &[fn(&str) -> Option<Diagnosis>] = if is_beyond_repair(text) {
        &[]
    } else if text.contains("Input tag ") {
        // It repeats a value of the client's.
        &[thinking_type, tool_types]
    } else {
        &[counting, thinking_blocks, betas, fields, thinking_type, effort, tool_types, tool_choice, others]
    };
    rules.iter().find_map(|rule| rule(text))
}

/// What leaving something out would not mend, or would mend at the cost of what was said.
fn is_beyond_repair(text: &str) -> bool {
    ["A maximum of 4 blocks with cache_control", "prompt is too long", "Input is too long", "exceed context limit"]
        .iter()
        .any(|words| text.contains(words))
}

/// The words of the model, which AWS wraps, and which may be a whole error of the Messages API.
fn inner(message: &str) -> Cow<'_, str> {
    let json = message.find('{').map(|at| &message[at..]);
    let parsed = json.and_then(|json| serde_json::Deserializer::from_str(json).into_iter().next()?.ok());
    let words = parsed.and_then(|value: serde_json::Value| {
        let words = value.pointer("/error/message").or_else(|| value.get("message"))?;
        words.as_str().map(str::to_owned)
    });
    words.map_or(Cow::Borrowed(message), Cow::Owned)
}

/// The beginning of a text without the quotes that some wordings have and others have not.
fn plain(text: &str) -> String {
    let end = text.floor_char_boundary(READ);
    text[..end].chars().filter(|c| !matches!(c, '`' | '\'' | '"' | '\\')).collect()
}

fn counting(text: &str) -> Option<Diagnosis> {
    text.contains("support counting tokens").then(|| Diagnosis::always(RefusalKind::CountTokens, "*"))
}

fn thinking_blocks(text: &str) -> Option<Diagnosis> {
    let wordings = [
        "Invalid signature in thinking block",
        "Invalid data in redacted_thinking block",
        "thinking.signature: Field required",
        "thinking or redacted_thinking blocks in the latest assistant message cannot be modified",
        "Expected thinking or redacted_thinking, but found",
        "bound to a different conversation",
    ];
    let known = wordings.iter().any(|words| text.contains(words));
    known.then(|| Diagnosis::in_this_company(RefusalKind::ThinkingBlocks, "*"))
}

fn betas(text: &str) -> Option<Diagnosis> {
    let listed = between(text, "Unexpected value(s) ", " for the anthropic-beta header");
    if listed.is_none() && !text.contains("beta flag") && !text.starts_with("anthropic_beta") {
        return None;
    }
    let named = listed.unwrap_or(text).split(|c: char| !is_of_name(c)).filter(|word| is_beta(word, listed.is_some()));
    Diagnosis::of(RefusalKind::Beta, named).or_else(|| Some(Diagnosis::always(RefusalKind::Beta, "*")))
}

/// Betas end in a date, by which they are told from other words.
fn is_beta(word: &str, listed: bool) -> bool {
    let digits = word.bytes().rev().take_while(|b| b.is_ascii_digit() || *b == b'-').filter(u8::is_ascii_digit).count();
    let well_formed = (1..=64).contains(&word.len()) && word.bytes().any(|b| b.is_ascii_lowercase());
    well_formed && word.contains('-') && (listed || digits == 8)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_')
}

fn fields(text: &str) -> Option<Diagnosis> {
    let told = Diagnosis::of(RefusalKind::Field, path::refused_fields(text))?;
    Some(Diagnosis { always: path::is_about_the_whole_field(text), ..told })
}

fn thinking_type(text: &str) -> Option<Diagnosis> {
    let of = |name: &str| {
        let refused = [
            format!("thinking.type.{name} is not supported"),
            format!("thinking.type: {name}"),
            format!("{name} thinking is not supported"),
            format!("thinking: Input tag {name} found"),
            format!("thinking.{name}: Extra inputs"),
        ];
        // Only thinking is ever adaptive.
        refused.iter().any(|words| text.contains(words.as_str()))
            || (name == "adaptive" && text.contains("Input tag adaptive found"))
    };
    let named = THINKING_TYPES.iter().find(|name| of(name));
    named.map(|name| Diagnosis::always(RefusalKind::ThinkingType, *name)).or_else(|| {
        not_among(RefusalKind::ThinkingType, THINKING_TYPES, after(text, "thinking.type: Input should be ")?)
    })
}

fn effort(text: &str) -> Option<Diagnosis> {
    if text.contains("does not support the effort parameter") {
        return Some(Diagnosis::always(RefusalKind::Field, "output_config.effort"));
    }
    let about = after(text, "output_config.effort")?;
    if let Some(allowed) = after(about, "Input should be ") {
        return not_among(RefusalKind::Effort, EFFORTS, allowed);
    }
    let (refused, _) = about.split_once("not supported")?;
    let level = words(refused).find(|word| EFFORTS.contains(word))?;
    Some(Diagnosis::always(RefusalKind::Effort, level))
}

/// The values that a list of the allowed ones leaves out.
fn not_among(kind: RefusalKind, all: &[&'static str], allowed: &str) -> Option<Diagnosis> {
    let sentence = allowed.split(['.', ';', '\n']).next().unwrap_or(allowed);
    let allowed: Vec<&str> = words(sentence).filter(|word| all.contains(word)).collect();
    if allowed.is_empty() {
        return None;
    }
    Diagnosis::of(kind, all.iter().copied().filter(|value| !allowed.contains(value)))
}

fn tool_types(text: &str) -> Option<Diagnosis> {
    let one = between(text, "tool type ", " is not supported");
    let several = after(text, "does not support tool types: ").map(|list| list.split('.').next().unwrap_or(list));
    let tag = || {
        let at = text.find("tools.")?;
        between(&text[at..], "Input tag ", " found")
    };
    let named = one.or(several).or_else(tag)?;
    Diagnosis::of(RefusalKind::ToolType, words(named).filter(|word| path::is_name(word) && *word != "custom"))
}

fn tool_choice(text: &str) -> Option<Diagnosis> {
    if text.contains("tool_choice forces tool use") {
        let refusals = FORCED.iter().map(|name| Refusal::new(RefusalKind::ToolChoice, *name)).collect();
        return Some(Diagnosis { refusals, always: false });
    }
    let (refused, _) = text.strip_prefix("tool_choice")?.split_once("not supported")?;
    let known = |word: &str| FORCED.contains(&word) || ["type", "and", "or", "is", "are"].contains(&word);
    let named = words(refused).all(known).then(|| words(refused).filter(|word| FORCED.contains(word)))?;
    Diagnosis::of(RefusalKind::ToolChoice, named)
}

/// Fields that are named in wordings of their own.
fn others(text: &str) -> Option<Diagnosis> {
    if text.contains("requestMetadata") || text.contains("metadata.user_id") {
        // One that is too long says nothing about others.
        let always = !text.contains("at most");
        return Some(Diagnosis { always, ..Diagnosis::always(RefusalKind::Field, "metadata.user_id") });
    }
    if text.contains("cache_control") && words(text).any(|word| word == "ttl") {
        // A value that no model knows is the client's own mistake, and the order of the markers is not the model's fault.
        let allowed = after(text, "Input should be ");
        let own_mistake = allowed.is_some_and(|allowed| words(allowed).any(|word| word == "1h"));
        let always = !text.contains("must not come after");
        let told = Diagnosis { always, ..Diagnosis::always(RefusalKind::Field, "cache_control.ttl") };
        return (!own_mistake).then_some(told);
    }
    if text.contains("context_management") || text.contains("clear_thinking_20251015") {
        // Whether it is taken depends on what else is asked for.
        return Some(Diagnosis::in_this_company(RefusalKind::Field, "context_management"));
    }
    let refused = ["not supported", "not permitted", "deprecated"].iter().any(|words| text.contains(words));
    if refused && words(text).any(|word| word.eq_ignore_ascii_case("strict")) {
        return Some(Diagnosis::always(RefusalKind::Field, "tools.strict"));
    }
    sampling(text, refused)
}

fn sampling(text: &str, refused: bool) -> Option<Diagnosis> {
    let named = |name: &&&str| words(text).any(|word| word == **name);
    let conflict = ["cannot both be specified", "when thinking is enabled"].iter().any(|words| text.contains(words));
    if conflict {
        let name = SAMPLING.iter().rev().find(named)?;
        return Some(Diagnosis::in_this_company(RefusalKind::Field, *name));
    }
    if !refused {
        return None;
    }
    Diagnosis::of(RefusalKind::Field, SAMPLING.iter().filter(named).copied())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

fn after<'t>(text: &'t str, words: &str) -> Option<&'t str> {
    text.split_once(words).map(|(_, rest)| rest)
}

fn between<'t>(text: &'t str, before: &str, behind: &str) -> Option<&'t str> {
    Some(after(text, before)?.split_once(behind)?.0)
}

#[cfg(test)]
mod tests;
