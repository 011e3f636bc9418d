//! How much an event of a stream adds to the answer, for an estimate where the final count never comes.

use super::json::{self, Cursor, Member};

/// What of a delta is part of the answer as it is billed: `text_delta`, `thinking_delta`, `input_json_delta`. A signature
/// is no output, and a citation repeats the input. As they stand in the text: nobody writes these names with escapes.
const WRITTEN: [&[u8]; 3] = [b"\"text\"", b"\"thinking\"", b"\"partial_json\""];

/// The characters that a `content_block_delta` brings; 0 for every other event, and for what is no JSON.
///
/// It walks over the event once and keeps nothing: there are hundreds of them in an answer.
pub fn characters(event: &[u8]) -> u64 {
    let mut cursor = Cursor::new(event, 0);
    if !cursor.enter(b'{') {
        return 0;
    }
    while let Some(Some(key)) = cursor.next_key() {
        if event.get(key) == Some(b"\"delta\"") {
            return written(event, cursor).unwrap_or(0);
        }
        if cursor.skip().is_none() {
            break;
        }
    }
    0
}

/// The same, given the event's members.
pub fn characters_of(event: &[u8], members: &[Member]) -> u64 {
    let delta = json::find(event, members, "delta");
    delta.and_then(|delta| written(event, Cursor::new(event, delta.value.start))).unwrap_or(0)
}

/// What the delta ahead brings.
fn written(event: &[u8], mut cursor: Cursor<'_>) -> Option<u64> {
    let mut characters = 0;
    if cursor.enter(b'{') {
        while let Some(key) = cursor.next_key()? {
            let value = cursor.skip()?;
            if WRITTEN.contains(&event.get(key)?)
                && let Some(text) = json::string(event, &value)
            {
                characters += text.chars().count() as u64;
            }
        }
    }
    Some(characters)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn counted(event: &str) -> u64 {
        let characters = characters(event.as_bytes());
        if let Some(members) = json::members(event.as_bytes(), 0) {
            assert_eq!(characters_of(event.as_bytes(), &members), characters, "{event}");
        }
        characters
    }

    #[test]
    fn what_is_billed_counts_and_nothing_else() {
        for (event, expected) in [
            (r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Grüße"}}"#, 5),
            (
                r#"{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"a\u00e9\ud83d\ude00\n"}}"#,
                4,
            ),
            (r#"{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}"#, 5),
            (r#"{"type":"content_block_delta","delta":{"type":"signature_delta","signature":"c2lnbmF0dXJl"}}"#, 0),
            (r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}"#, 0),
            (r#"{"type":"content_block_delta","delta":{"text":7,"thinking":null}}"#, 0),
            (r#"{"type":"ping"}"#, 0),
            (r#"{"delta":"text"}"#, 0),
        ] {
            assert_eq!(counted(event), expected, "{event}");
        }
    }

    fn event() -> impl Strategy<Value = Value> {
        let name = prop_oneof![Just("text"), Just("thinking"), Just("partial_json"), Just("signature")];
        (name, any::<String>()).prop_map(|(name, text)| {
            let mut event = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "any"}});
            event["delta"][name] = text.into();
            event
        })
    }

    proptest! {
        #[test]
        fn the_count_is_that_of_a_parser(event in event(), escaped in any::<bool>()) {
            let names = ["text", "thinking", "partial_json"];
            let expected: usize = names.iter().filter_map(|name| event["delta"][name].as_str()).map(|t| t.chars().count()).sum();
            let plain = event.to_string();
            // The same text, every character that is not ASCII written as an escape.
            let text = if escaped { ascii(&plain) } else { plain };
            prop_assert_eq!(counted(&text), expected as u64);
        }
    }

    fn ascii(text: &str) -> String {
        let mut ascii = String::new();
        for unit in text.encode_utf16() {
            match u8::try_from(unit) {
                Ok(byte) if byte.is_ascii() => ascii.push(byte.into()),
                _ => write!(ascii, "\\u{unit:04x}").unwrap(),
            }
        }
        ascii
    }
}
