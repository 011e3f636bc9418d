//! YAML that every reader takes for the same: AWS and its validators read YAML 1.1, where `off` is a boolean and `22:30` a number.

use serde::Serialize;
use serde_yaml::Value;

/// Stands for the quotes that the library does not know are needed. A private character, which no template has.
const QUOTE: char = '\u{E000}';

/// The YAML of a value, with quotes around text that YAML 1.1 reads as something else.
pub(super) fn to_string(value: &impl Serialize) -> Result<String, serde_yaml::Error> {
    let mut value = serde_yaml::to_value(value)?;
    mark(&mut value);
    Ok(serde_yaml::to_string(&value)?.replace(QUOTE, "'"))
}

fn mark(value: &mut Value) {
    match value {
        Value::String(text) if ambiguous(text) => *text = format!("{QUOTE}{text}{QUOTE}"),
        Value::Sequence(items) => items.iter_mut().for_each(mark),
        Value::Mapping(fields) => {
            // Names are marked as well, which means to make them anew.
            *fields = std::mem::take(fields)
                .into_iter()
                .map(|(mut name, mut value)| {
                    mark(&mut name);
                    mark(&mut value);
                    (name, value)
                })
                .collect();
        }
        _ => {}
    }
}

/// Words for booleans, and everything that could be a number, a time or a date.
fn ambiguous(text: &str) -> bool {
    let word = ["y", "n", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word));
    let numeric = |letter: char| letter.is_ascii_hexdigit() || "xo_:.+-".contains(letter);
    word || (text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
        && text.chars().all(numeric))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_another_reader_would_misread_is_quoted() -> Result<(), serde_yaml::Error> {
        let value = json!({ "a": "off", "b": "22:30", "c": "2010-09-09", "d": "text", "e": "15.19", "f": true, "on": 1.5, "z": "1e3" });
        let expected = "a: 'off'\nb: '22:30'\nc: '2010-09-09'\nd: text\ne: '15.19'\nf: true\n'on': 1.5\nz: '1e3'\n";
        assert_eq!(to_string(&value)?, expected);
        assert_eq!(serde_yaml::from_str::<serde_json::Value>(expected)?, value);
        Ok(())
    }
}
