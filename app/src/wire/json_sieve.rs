//! Keeps a few members of a large JSON object while the object passes by in pieces, and lets go of the rest.

/// What is kept at the most; the members that are wanted are much smaller.
const ROOM: usize = 16 << 10;
/// The longest key that is looked at, quotes included.
const KEY: usize = 64;

/// Finds the named members of the outermost object. Memory does not grow with the object.
#[derive(Clone, Debug)]
pub struct Sieve {
    wanted: &'static [&'static str],
    kept: Vec<u8>,
    key: Vec<u8>,
    depth: usize,
    place: Place,
    keeping: bool,
    in_string: bool,
    escaped: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// At a key of the outermost object, or before it.
    Key,
    /// At a value, however deep.
    Value,
    /// Behind the object, or given up.
    Over,
}

impl Sieve {
    /// A sieve for members of these names.
    pub fn new(wanted: &'static [&'static str]) -> Self {
        Self {
            wanted,
            kept: Vec::new(),
            key: Vec::new(),
            depth: 0,
            place: Place::Key,
            keeping: false,
            in_string: false,
            escaped: false,
        }
    }

    /// Takes in the next piece. Returns, once, an object with the members that were found, when the whole has passed.
    pub fn see(&mut self, piece: &[u8]) -> Option<Vec<u8>> {
        let mut rest = piece;
        while let (false, [byte, ..]) = (self.place == Place::Over, rest) {
            if self.in_string && !self.escaped {
                let plain = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                self.put(&rest[..plain]);
                rest = &rest[plain..];
                let Some(special) = rest.first() else { break };
                self.escaped = *special == b'\\';
                self.in_string = self.escaped;
                self.put(&rest[..1]);
            } else if self.in_string {
                self.escaped = false;
                self.put(&rest[..1]);
            } else if self.step(*byte) {
                self.kept.push(b'}');
                return Some(std::mem::take(&mut self.kept));
            }
            rest = &rest[1..];
        }
        None
    }

    /// A byte outside of strings. True when it ends the object.
    fn step(&mut self, byte: u8) -> bool {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => return false,
            b'{' if self.depth == 0 => {
                self.depth = 1;
                self.kept.push(b'{');
                return false;
            }
            // What begins with anything else is no object.
            _ if self.depth == 0 => self.place = Place::Over,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 {
                    self.place = Place::Over;
                    return true;
                }
            }
            b':' if self.depth == 1 => return self.value_begins(),
            b',' if self.depth == 1 => {
                (self.place, self.keeping) = (Place::Key, false);
                self.key.clear();
                return false;
            }
            b'"' => self.in_string = true,
            _ => {}
        }
        self.put(&[byte]);
        false
    }

    fn value_begins(&mut self) -> bool {
        self.place = Place::Value;
        let name = self.key.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\""));
        self.keeping = name.is_some_and(|name| self.wanted.iter().any(|wanted| wanted.as_bytes() == name));
        if self.keeping {
            if self.kept.len() > 1 {
                self.kept.push(b',');
            }
            self.kept.append(&mut self.key);
            self.kept.push(b':');
        }
        false
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.place == Place::Key {
            // A key that is cut lacks its last quote, and so is no name that is wanted.
            self.key.extend_from_slice(&bytes[..bytes.len().min(KEY - self.key.len())]);
        } else if self.keeping {
            if self.kept.len() + bytes.len() > ROOM {
                self.place = Place::Over;
                return;
            }
            self.kept.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    const WANTED: &[&str] = &["id", "usage"];

    fn sieved(pieces: &[&[u8]]) -> Option<Value> {
        let mut sieve = Sieve::new(WANTED);
        let found: Vec<_> = pieces.iter().filter_map(|piece| sieve.see(piece)).collect();
        assert!(found.len() <= 1, "told twice");
        found.first().map(|kept| serde_json::from_slice(kept).unwrap())
    }

    #[test]
    fn members_are_found_at_every_split() {
        let whole = br#" {"id" : "msg_\"1\\", "content":[{"usage":{"x":1},"text":"\",\"usage\":{"}],
            "usage": { "input_tokens": 3, "cache_creation": {"a": [1, 2]} }, "stop":null} trailing"#;
        let expected = json!({"id": "msg_\"1\\", "usage": {"input_tokens": 3, "cache_creation": {"a": [1, 2]}}});
        for at in 0..=whole.len() {
            let (front, back) = whole.split_at(at);
            assert_eq!(sieved(&[front, back]), Some(expected.clone()), "split at byte {at}");
        }
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(sieved(&bytes), Some(expected));
    }

    #[test]
    fn what_is_no_whole_object_gives_nothing() {
        for text in ["", "[1]", "null", "{\"id\":1", "{\"id\":\"x", "\"{}\""] {
            assert_eq!(sieved(&[text.as_bytes()]), None, "{text}");
        }
        assert_eq!(sieved(&[b"{}"]), Some(json!({})));
    }

    #[test]
    fn memory_is_bounded() {
        let mut sieve = Sieve::new(WANTED);
        assert_eq!(sieve.see(format!("{{\"{}\":1,\"id\":\"", "k".repeat(1 << 20)).as_bytes()), None);
        for _ in 0..1000 {
            assert_eq!(sieve.see(&[b'x'; 1000]), None);
        }
        assert!(sieve.kept.capacity() <= 2 * ROOM && sieve.key.capacity() <= 2 * KEY);
        assert_eq!(sieve.see(b"\"}"), None, "given up");
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<i32>().prop_map(Value::from), ".{0,8}".prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec(("id|usage|[a-z\"\\\\]{0,3}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Against a parser: the same members, however the text is cut.
        #[test]
        fn it_finds_what_a_parser_finds(
            members in proptest::collection::vec(("id|usage|[a-z\"\\\\]{0,3}", value()), 0..6),
            cut in 1_usize..20,
        ) {
            let whole: Map<String, Value> = members.into_iter().collect();
            let text = serde_json::to_vec_pretty(&whole).unwrap();
            let expected: Map<String, Value> =
                whole.into_iter().filter(|(name, _)| WANTED.contains(&name.as_str())).collect();
            let pieces: Vec<&[u8]> = text.chunks(cut).collect();
            prop_assert_eq!(sieved(&pieces), Some(Value::Object(expected)));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), "[{}\\[\\]\":,\\\\]".prop_map(|s| s.as_bytes()[0])], 0..200), cut in 1_usize..9) {
            let mut sieve = Sieve::new(WANTED);
            for piece in bytes.chunks(cut) {
                let _ = sieve.see(piece);
            }
        }
    }
}
