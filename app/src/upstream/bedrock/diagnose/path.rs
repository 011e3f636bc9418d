//! Reads the paths of refused fields, `tools.0.custom.strict` or `#/messages/0: extraneous key [x]`, as the short names
//! that refusals have.

/// Parts of the body whose fields have a place of their own, two levels deep at the most.
const LISTS: &[&str] = &["messages", "system", "tools"];
/// What a request cannot do without, and what Claude Code must hear of: without `safeguards` it would wait in vain for
/// the verdicts that it asked for, while told of the refusal it does without.
const ESSENTIAL: &[&str] = &["messages", "system", "tools", "max_tokens", "anthropic_version", "safeguards"];
/// What blocks and tools are made of: where one of these is too much, it is not the field that is wrong.
const MADE_OF: &[&str] = &[
    "content",
    "data",
    "description",
    "id",
    "input",
    "input_schema",
    "is_error",
    "media_type",
    "name",
    "role",
    "signature",
    "source",
    "text",
    "thinking",
    "tool_use_id",
    "type",
    "url",
];
/// Kinds of a union, which some paths name between a field and what it belongs to.
const KINDS: &[&str] =
    &["adaptive", "any", "auto", "custom", "disabled", "enabled", "ephemeral", "json_schema", "tool"];

const EXTRA: &str = ": Extra inputs are not permitted";

/// Whether a text begins with the path of a field that is refused as a whole and always: not with other words that may be
/// the client's, not with something inside of it, and not with a variant of it that has less than others.
pub(super) fn is_about_the_whole_field(text: &str) -> bool {
    let extra = text.split_once(EXTRA).is_some_and(|(path, _)| {
        path.chars().all(is_of_path) && !path.starts_with("context_management.") && !path.contains(".disabled.")
    });
    extra || text.starts_with('#') || text.starts_with("extraneous key [")
}

fn is_of_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// The names of all fields that a text says are too much.
pub(super) fn refused_fields(text: &str) -> Vec<String> {
    let extra = text.match_indices(EXTRA).filter_map(|(at, _)| {
        let start = text[..at].rfind(|c| !is_of_path(c));
        field(text[start.map_or(0, |start| start + 1)..at].split('.'))
    });
    let extraneous = text.match_indices("extraneous key [").filter_map(|(at, words)| {
        let key = text[at + words.len()..].split(']').next()?;
        let pointer = text[..at].trim_end_matches([' ', ':']).rsplit(['#', ' ']).next().unwrap_or("");
        field(pointer.split('/').filter(|segment| !segment.is_empty()).chain([key]))
    });
    extra.chain(extraneous).collect()
}

/// The name of a field by its path; `None` for what must not be left out, or is no name.
fn field<'p>(path: impl Iterator<Item = &'p str>) -> Option<String> {
    let path: Vec<&str> = path.filter(|segment| segment.parse::<u32>().is_err()).collect();
    if !path.iter().all(|segment| is_name(segment)) {
        return None;
    }
    let (leaf, above) = path.split_last()?;
    if above.contains(&"cache_control") {
        return Some(format!("cache_control.{leaf}"));
    }
    match above.first() {
        None => (!ESSENTIAL.contains(leaf)).then(|| (*leaf).to_owned()),
        Some(&"context_management") => Some("context_management".to_owned()),
        Some(part) if LISTS.contains(part) => {
            let ours = !above.iter().any(|segment| matches!(*segment, "input" | "input_schema"));
            let spare = ![MADE_OF, KINDS].iter().any(|list| list.contains(leaf)) && *leaf != "cache_control";
            (ours && spare).then(|| format!("{part}.{leaf}"))
        }
        Some(part) => {
            let own = path[1..].iter().find(|segment| !KINDS.contains(segment))?;
            (*own != "type").then(|| format!("{part}.{own}"))
        }
    }
}

/// Whether a word can be the name of a field or of a type.
pub(super) fn is_name(word: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=64).contains(&word.len()) && word.bytes().all(allowed)
}
