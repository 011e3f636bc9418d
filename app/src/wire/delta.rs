//! How much an event of a stream adds to the answer, for an estimate where the final count never comes.

use super::json::{self, Member};

/// What of a delta is part of the answer as it is billed: `text_delta`, `thinking_delta`, `input_json_delta`. A signature
/// is no output, and a citation repeats the input.
const WRITTEN: [&str; 3] = ["text", "thinking", "partial_json"];

/// The characters that a `content_block_delta` brings, given its members; 0 for every other event.
pub fn characters(event: &[u8], members: &[Member]) -> u64 {
    let delta = json::find(event, members, "delta").and_then(|delta| json::members(event, delta.value.start));
    let Some(delta) = delta else { return 0 };
    let written = WRITTEN.iter().filter_map(|name| json::string(event, &json::find(event, &delta, name)?.value));
    written.map(|text| text.chars().count() as u64).sum()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn counted(event: &str) -> u64 {
        json::members(event.as_bytes(), 0).map_or(0, |members| characters(event.as_bytes(), &members))
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
