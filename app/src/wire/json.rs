//! Finds members and elements in JSON text by position, without building a tree.
//!
//! It checks only what it walks over: callers that need valid JSON validate first. On anything malformed the
//! walk ends with `None`; it never panics.

mod cursor;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

pub use cursor::Cursor;

/// A member of an object: where its key (quotes included) and its value stand in the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// The key with its quotes.
    pub key: Range<usize>,
    /// The value.
    pub value: Range<usize>,
}

impl Member {
    /// The key as text, with escapes resolved.
    pub fn name<'t>(&self, text: &'t [u8]) -> Option<Cow<'t, str>> {
        string(text, &self.key)
    }

    /// Whether this is the key, escapes resolved; a name has no backslash.
    fn is_called(&self, text: &[u8], name: &str) -> bool {
        let quoted = text.get(self.key.clone()).unwrap_or_default();
        // Most keys are compared in vain, and most of these differ in length: an escape is longer than what it stands for.
        match quoted.len().cmp(&(name.len() + 2)) {
            Ordering::Less => false,
            Ordering::Equal => &quoted[1..=name.len()] == name.as_bytes(),
            Ordering::Greater => quoted.contains(&b'\\') && self.name(text).is_some_and(|own| own == name),
        }
    }
}

/// The members of the object that begins at `start` (white space before it is skipped), in order, duplicates included.
pub fn members(text: &[u8], start: usize) -> Option<Vec<Member>> {
    let mut members = Vec::new();
    let mut at = expect(text, skip_space(text, start), b'{')?;
    at = skip_space(text, at);
    if text.get(at) == Some(&b'}') {
        return Some(members);
    }
    loop {
        let key_end = skip_string(text, at)?;
        let colon = skip_space(text, key_end);
        let value_start = skip_space(text, expect(text, colon, b':')?);
        let value_end = skip_value(text, value_start)?;
        members.push(Member { key: at..key_end, value: value_start..value_end });
        at = skip_space(text, value_end);
        match text.get(at)? {
            b',' => at = skip_space(text, at + 1),
            b'}' => return Some(members),
            _ => return None,
        }
    }
}

/// The elements of the array that begins at `start`; `None` when there is no array.
pub fn elements(text: &[u8], start: usize) -> Option<Vec<Range<usize>>> {
    let mut elements = Vec::new();
    let mut at = skip_space(text, expect(text, skip_space(text, start), b'[')?);
    if text.get(at) == Some(&b']') {
        return Some(elements);
    }
    loop {
        let end = skip_value(text, at)?;
        elements.push(at..end);
        at = skip_space(text, end);
        match text.get(at)? {
            b',' => at = skip_space(text, at + 1),
            b']' => return Some(elements),
            _ => return None,
        }
    }
}

/// The last member of that name, which is the one that parsers keep when a name comes twice.
pub fn find<'m>(text: &[u8], members: &'m [Member], name: &str) -> Option<&'m Member> {
    members.iter().rev().find(|member| member.is_called(text, name))
}

/// The string at a range, escapes resolved; `None` when there is no string.
pub fn string<'t>(text: &'t [u8], range: &Range<usize>) -> Option<Cow<'t, str>> {
    let quoted = text.get(range.clone())?;
    let inner = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr::memchr(b'\\', inner).is_none() {
        return std::str::from_utf8(inner).ok().map(Cow::Borrowed);
    }
    serde_json::from_slice(quoted).ok().map(Cow::Owned)
}

/// The index of the first byte at or after `at` that is not white space.
pub fn skip_space(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

fn expect(text: &[u8], at: usize, byte: u8) -> Option<usize> {
    (text.get(at) == Some(&byte)).then_some(at + 1)
}

/// The end of the string that begins at `at`.
fn skip_string(text: &[u8], at: usize) -> Option<usize> {
    let begin = expect(text, at, b'"')?;
    let mut from = begin;
    loop {
        let found = from + quote(text.get(from..)?)?;
        // Backslashes escape each other; an odd one is left for the quote.
        let backslashes = text[begin..found].iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes % 2 == 0 {
            return Some(found + 1);
        }
        from = found + 1;
    }
}

/// Where the first quote is.
///
/// Only quotes are looked for, not backslashes as well: source code in a prompt has one of the two every twenty bytes, and
/// each stop costs more than the bytes in between: a third of what a request of a megabyte took. For quotes that are close
/// to each other the next few words are looked at before the search of a whole vector's width is begun.
fn quote(text: &[u8]) -> Option<usize> {
    const WORDS: usize = 4;
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = EACH << 7;
    let (words, _) = text.as_chunks::<8>();
    for (number, word) in words.iter().take(WORDS).enumerate() {
        let difference = u64::from_le_bytes(*word) ^ (EACH * u64::from(b'"'));
        // The lowest bit that is set is in the first byte that is a quote; those above it may be wrong.
        let found = difference.wrapping_sub(EACH) & !difference & HIGH;
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let from = words.len().min(WORDS) * 8;
    memchr::memchr(b'"', &text[from..]).map(|at| from + at)
}

/// The end of the value that begins at `at`: a string, a container matched by depth, or a bare word or number.
fn skip_value(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' => skip_string(text, at),
        b'{' | b'[' => skip_container(text, at),
        _ => {
            let length = text[at..].iter().position(|b| matches!(b, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'));
            let end = at + length.unwrap_or(text.len() - at);
            (end > at).then_some(end)
        }
    }
}

/// The end of the object or array that begins at `at`, found by counting brackets, to whatever depth.
fn skip_container(text: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match text.get(at)? {
            b'"' => {
                at = skip_string(text, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names_and_values(text: &str) -> Vec<(String, String)> {
        let members = members(text.as_bytes(), 0).unwrap();
        members
            .iter()
            .map(|m| (m.name(text.as_bytes()).unwrap().into_owned(), text[m.value.clone()].to_owned()))
            .collect()
    }

    #[test]
    fn members_keep_order_spacing_and_duplicates() {
        let found = names_and_values(" { \"a\" : 1.0e+2 ,\n\"b\\u0063\":[1, {\"x\":\"}\\\"]\"}],\"a\":null } ");
        let expected = [("a", "1.0e+2"), ("bc", "[1, {\"x\":\"}\\\"]\"}]"), ("a", "null")];
        assert_eq!(found, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    #[test]
    fn members_are_found_however_their_keys_are_written() {
        let text = br#"{"type":1,"t\u0079pe":2,"typo":3,"typ":4,"type\"":5,"":6,"b\u0062":7}"#;
        let members = members(text, 0).unwrap();
        let found = |name| find(text, &members, name).map(|member| &text[member.value.clone()]);
        for (name, expected) in [
            ("type", Some(b"2")),
            ("typo", Some(b"3")),
            ("type\"", Some(b"5")),
            ("", Some(b"6")),
            ("bb", Some(b"7")),
            ("b", None),
        ] {
            assert_eq!(found(name), expected.map(|value| &value[..]), "{name}");
        }
    }

    #[test]
    fn malformed_text_ends_the_walk() {
        for text in ["", "[]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\" 1}", "{\"a\":\"x", "{\"a\":[1}"] {
            assert!(members(text.as_bytes(), 0).is_none(), "{text}");
        }
    }

    #[test]
    fn depth_is_no_obstacle() {
        let deep = format!("{{\"a\":{}{},\"stream\":true}}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(names_and_values(&deep)[1], ("stream".to_owned(), "true".to_owned()));
    }

    #[test]
    fn empty_containers_have_nothing_in_them() {
        assert_eq!(members(b"{ }", 0), Some(vec![]));
        assert_eq!(elements(b" [ ]", 0), Some(vec![]));
    }

    proptest! {
        #[test]
        fn quotes_are_found_at_every_place(bytes in proptest::collection::vec(
            prop_oneof![8 => any::<u8>(), 1 => Just(b'"'), 4 => Just(b'"' + 1), 4 => Just(b'"' | 0x80)],
            0..100,
        )) {
            prop_assert_eq!(quote(&bytes), bytes.iter().position(|byte| *byte == b'"'));
        }

        #[test]
        fn strings_end_where_their_escapes_say(bytes in proptest::collection::vec(
            prop_oneof![1 => Just(b'"'), 2 => Just(b'\\'), 2 => Just(b'x')],
            0..40,
        )) {
            let text = [b"\"", &bytes[..]].concat();
            let (mut at, mut end) = (1, None);
            while let Some(byte) = text.get(at) {
                match byte {
                    b'"' => {
                        end = Some(at + 1);
                        break;
                    }
                    b'\\' => at += 2,
                    _ => at += 1,
                }
            }
            prop_assert_eq!(skip_string(&text, 0), end);
        }

        #[test]
        fn any_bytes_are_walked_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = members(&bytes, 0);
            let _ = elements(&bytes, 0);
        }

        #[test]
        fn a_name_is_found_as_a_parser_finds_it(
            keys in proptest::collection::vec("[ab\"\u{e9}\n]{0,3}", 0..6), name in "[ab\"\u{e9}\n]{0,3}", ascii in any::<bool>(),
        ) {
            let written = |key: &String| match serde_json::to_string(key).unwrap() {
                text if ascii => text.replace('a', "\\u0061").replace('\u{e9}', "\\u00e9"),
                text => text,
            };
            let pairs: Vec<String> = keys.iter().enumerate().map(|(at, key)| format!("{}:{at}", written(key))).collect();
            let text = format!("{{{}}}", pairs.join(","));
            let found = find(text.as_bytes(), &members(text.as_bytes(), 0).unwrap(), &name).map(|m| text[m.value.clone()].to_owned());
            prop_assert_eq!(found, keys.iter().rposition(|key| *key == name).map(|at| at.to_string()));
        }

        #[test]
        fn values_are_found_as_a_parser_finds_them(keys in proptest::collection::btree_map(".{0,8}", ".{0,20}", 0..6)) {
            let text = serde_json::to_string(&keys).unwrap();
            let found: std::collections::BTreeMap<String, String> = names_and_values(&text)
                .into_iter()
                .map(|(name, value)| (name, serde_json::from_str(&value).unwrap()))
                .collect();
            prop_assert_eq!(found, keys);
        }
    }
}
