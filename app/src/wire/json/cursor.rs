//! Reads a JSON text once from its beginning to its end, for whoever has to look at some of its parts.
//!
//! Like its parent it checks only what it walks over, ends with `None` on anything malformed, and never panics.

use std::borrow::Cow;
use std::ops::Range;

use super::{skip_space, skip_string, skip_value, string};

/// A place in a JSON text, before a value or behind one.
#[derive(Clone, Debug)]
pub struct Cursor<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Cursor<'t> {
    /// Before the value at or after `at`.
    pub fn new(text: &'t [u8], at: usize) -> Self {
        Self { text, at: skip_space(text, at) }
    }

    /// Where it stands.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The first byte of the value ahead: `{`, `[`, `"`, or of a word or number.
    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Goes behind the value ahead and says where it stands.
    pub fn skip(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        self.at = skip_value(self.text, start)?;
        Some(start..self.at)
    }

    /// Goes into the container ahead if it begins with `opening`.
    pub fn enter(&mut self, opening: u8) -> bool {
        let enters = self.peek() == Some(opening);
        if enters {
            self.at = skip_space(self.text, self.at + 1);
        }
        enters
    }

    /// Inside of an object: the key of the next member, the cursor before its value; `Some(None)` behind the object.
    pub fn next_key(&mut self) -> Option<Option<Range<usize>>> {
        if !self.next_item(b'}')? {
            return Some(None);
        }
        let key = self.at..skip_string(self.text, self.at)?;
        let colon = skip_space(self.text, key.end);
        if self.text.get(colon) != Some(&b':') {
            return None;
        }
        self.at = skip_space(self.text, colon + 1);
        Some(Some(key))
    }

    /// Inside of an array: whether there is another element, the cursor before it; `Some(false)` behind the array.
    pub fn next_element(&mut self) -> Option<bool> {
        self.next_item(b']')
    }

    /// The string at a range, escapes resolved; nothing when there is no string.
    pub fn text_at(&self, range: &Range<usize>) -> Cow<'t, str> {
        string(self.text, range).unwrap_or_default()
    }

    fn next_item(&mut self, closing: u8) -> Option<bool> {
        let at = skip_space(self.text, self.at);
        match *self.text.get(at)? {
            byte if byte == closing => {
                self.at = at + 1;
                Some(false)
            }
            b',' => {
                self.at = skip_space(self.text, at + 1);
                Some(true)
            }
            // The first of the container, which `enter` has found.
            _ => {
                self.at = at;
                Some(true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every string that stands below the key `wanted`, and the rest skipped.
    fn found(text: &str, wanted: &str) -> Option<Vec<String>> {
        let mut cursor = Cursor::new(text.as_bytes(), 0);
        let mut found = Vec::new();
        if !cursor.enter(b'{') {
            return None;
        }
        while let Some(key) = cursor.next_key()? {
            if cursor.text_at(&key) == wanted && cursor.enter(b'[') {
                while cursor.next_element()? {
                    let range = cursor.skip()?;
                    found.push(text[range].to_owned());
                }
            } else {
                cursor.skip()?;
            }
        }
        (cursor.position() <= text.len()).then_some(found)
    }

    #[test]
    fn members_and_elements_come_in_order() {
        let text = r#" { "a" : [ 1 , {"x":[2]} ,"]" ] , "\u0061":[true], "b":{"a":[9]} ,"a":[]} "#;
        assert_eq!(found(text, "a").unwrap(), ["1", r#"{"x":[2]}"#, r#""]""#, "true"]);
        assert_eq!(found("{}", "a").unwrap(), [] as [&str; 0]);
    }

    #[test]
    fn malformed_text_ends_the_walk() {
        for text in ["", "[]", "{", "{\"a\"", "{\"a\":", "{\"a\":[", "{\"a\":[1", "{\"a\":[1}", "{\"a\" 1}"] {
            assert_eq!(found(text, "a"), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_without_a_panic(text in "[\\[\\]{}:,\"\\\\a1 ]{0,40}") {
            let _ = found(&text, "a");
        }
    }
}
