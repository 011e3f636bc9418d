//! What the web framework says of a value that it refuses, in words for people: what has to be there instead.

use crate::openapi::Document;

/// Marks a value that could be read and is not allowed, in the words of the framework and of our own types.
pub(super) const OUT_OF_RANGE: &str = "verification failed. ";

/// Forms of texts, and what they are.
const FORMS: &[(&str, &str)] = &[
    (r"^\S(.*\S)?$", "it has to be one line of text that neither begins nor ends with white space"),
    (r"^[ -~]+$", "it has to be of printable ASCII characters"),
    (r"^[0-9]{1,12}(\.[0-9]{1,12})?$", "it is no amount in US dollars; write it like \"12.50\", below a trillion"),
    (
        r"^[0-9]{1,4}(\.[0-9]{1,6})?$",
        "it is no price in US dollars; write it like \"12.50\", below 10,000, with six decimals at the most",
    ),
    (r"^[1-9](\.[0-9]{1,4})?$", "it is no factor; write it like \"1.10\", from 1 to below 10"),
    (
        r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$",
        "it has to be of letters, digits and the characters . _ : / -, and to begin with a letter or a digit",
    ),
    (
        r"^[a-z0-9][a-z0-9._-]*$",
        "it has to be of small letters, digits and the characters . _ -, and to begin with a letter or a digit",
    ),
];

/// Of a value that fails a check, such as `maxLength(255)`.
pub(super) fn of_check(check: &str) -> String {
    let (name, bound) = check.strip_suffix(')').and_then(|check| check.split_once('(')).unwrap_or((check, ""));
    let number = bound.split_once(',').map_or(bound, |(number, _)| number);
    match name {
        "minLength" if number == "1" => "it must not be empty".to_owned(),
        "minLength" => format!("it has to have {number} characters at the least"),
        "maxLength" => format!("it may have {number} characters at the most"),
        "minimum" => format!("it has to be {number} at the least"),
        "maximum" => format!("it may be {number} at the most"),
        "pattern" => {
            let pattern = bound.trim_matches('"');
            let form = FORMS.iter().find(|(known, _)| *known == pattern);
            form.map_or_else(|| format!("it has to be of the form {pattern}"), |(_, words)| (*words).to_owned())
        }
        _ => check.to_owned(),
    }
}

/// Of a value that cannot be read, such as `failed to parse "string_uuid": invalid length: found 1`.
pub(super) fn of_reading(document: &Document, reason: &str) -> String {
    // What the framework was at when it happened.
    let reason = reason.split_once(" (occurred while").map_or(reason, |(reason, _)| reason);
    let mut quoted = reason.split('"');
    let (before, kind) = (quoted.next().unwrap_or_default(), quoted.next().unwrap_or_default());
    if !matches!(before, "failed to parse " | "Expected input type ") {
        return reason.to_owned();
    }
    let known = match kind {
        "string_uuid" => Some("it has to be a UUID, like 01234567-89ab-cdef-0123-456789abcdef".to_owned()),
        "string_date-time" => {
            Some("it has to be a time like 2026-10-31T12:00:00Z (RFC 3339; in a URL + is %2B)".to_owned())
        }
        "boolean" => Some("it has to be true or false".to_owned()),
        _ if kind.starts_with("integer") => Some("it has to be a whole number".to_owned()),
        _ => document.values(kind).map(|values| one_of(&values)),
    };
    known.unwrap_or_else(|| reason.to_owned())
}

/// Of a word that is none of these.
pub(super) fn one_of(values: &[&str]) -> String {
    format!("it has to be one of {}", values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::admin_service;

    #[test]
    fn every_form_that_is_asked_for_has_words() {
        let document: serde_json::Value = serde_json::from_str(&Document::of(&admin_service()).json()).unwrap();
        let mut patterns = Vec::new();
        patterns_of_requests(&document["paths"], &document, &mut patterns);
        assert!(patterns.len() > 10, "{patterns:?}");
        for pattern in patterns {
            let words = of_check(&format!("pattern(\"{pattern}\")"));
            assert!(!words.contains(&pattern), "{pattern} has no words");
        }
    }

    fn patterns_of_requests(value: &serde_json::Value, document: &serde_json::Value, patterns: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                if let Some(pattern) = fields.get("pattern").and_then(|pattern| pattern.as_str()) {
                    patterns.push(pattern.to_owned());
                }
                if let Some(name) = fields.get("$ref").and_then(|name| name.as_str()) {
                    let path = name.trim_start_matches('#');
                    patterns_of_requests(document.pointer(path).unwrap(), document, patterns);
                }
                for (_, value) in fields.iter().filter(|(name, _)| *name != "responses") {
                    patterns_of_requests(value, document, patterns);
                }
            }
            serde_json::Value::Array(items) => {
                for item in items {
                    patterns_of_requests(item, document, patterns);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn words_say_what_has_to_be_there() {
        let document = Document::of(&admin_service());
        for (check, expected) in [
            ("minLength(1)", "it must not be empty"),
            ("maxLength(255)", "it may have 255 characters at the most"),
            ("minimum(1, exclusive: false)", "it has to be 1 at the least"),
            ("maximum(500, exclusive: false)", "it may be 500 at the most"),
            ("pattern(\"^x$\")", "it has to be of the form ^x$"),
            ("something else", "something else"),
        ] {
            assert_eq!(of_check(check), expected);
        }
        for (reason, expected) in [
            (
                "failed to parse \"UserStatus\": Expect a valid enumeration value. (occurred while parsing \"x\")",
                "it has to be one of active, inactive",
            ),
            ("failed to parse \"integer(uint32)\": invalid digit found in string", "it has to be a whole number"),
            ("expected value at line 1 column 1", "expected value at line 1 column 1"),
            (
                "failed to parse \"CreateUser\": unknown field `role`.",
                "failed to parse \"CreateUser\": unknown field `role`.",
            ),
        ] {
            assert_eq!(of_reading(&document, reason), expected);
        }
    }
}
