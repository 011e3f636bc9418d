//! What is stored of an answer whose final count never came: what is known, and an estimate of the rest.

use super::UsageMerge;
use crate::domain::TokenUsage;

/// Characters that a token stands for, as a rule of thumb.
const CHARACTERS_PER_TOKEN: u64 = 4;
/// The largest prompt of any model.
const LARGEST_PROMPT: u32 = 1_000_000;
/// Base64 that is longer than this is a picture, a document or a signature, and no text.
const LONGEST_WORD: usize = 1024;

/// The tokens of an answer, and whether they are an estimate. The output is no less than a token for four characters that
/// were relayed. Where not even the prompt was counted, it is a token for four bytes of its text; `prompt` is the request.
pub(super) fn settle(usage: &UsageMerge, prompt: &[u8]) -> (TokenUsage, bool) {
    let mut tokens = usage.tokens();
    if usage.is_final() {
        return (tokens, false);
    }
    let written = usage.characters().div_ceil(CHARACTERS_PER_TOKEN);
    tokens.output = tokens.output.max(u32::try_from(written).unwrap_or(u32::MAX));
    if !has_prompt(&tokens) {
        let asked = text_bytes(prompt).div_ceil(CHARACTERS_PER_TOKEN);
        tokens.input = u32::try_from(asked).unwrap_or(u32::MAX).min(LARGEST_PROMPT);
    }
    (tokens, true)
}

/// Whether the prompt was counted; there is none without a token.
pub(super) fn has_prompt(tokens: &TokenUsage) -> bool {
    tokens.input > 0 || tokens.cache_read > 0 || tokens.cache_creation > 0
}

/// Bytes of a request without its pictures and documents, whose tokens have nothing to do with their size.
fn text_bytes(body: &[u8]) -> u64 {
    let is_base64 = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let strings = body.split(|b| *b == b'"').filter(|text| text.len() <= LONGEST_WORD || !text.iter().all(is_base64));
    strings.map(|text| text.len() as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(events: &[&str], characters: u64) -> UsageMerge {
        let mut usage = UsageMerge::default();
        for event in events {
            usage.observe(event.as_bytes());
        }
        usage.wrote(characters);
        usage
    }

    const START: &str = r#"{"type":"message_start","message":{"usage":{"input_tokens":3,"cache_read_input_tokens":40,"output_tokens":2}}}"#;
    const DELTA: &str = r#"{"type":"message_delta","usage":{"output_tokens":5}}"#;

    /// B-53: nothing is guessed that is known.
    #[test]
    fn what_is_known_stays_and_the_rest_is_estimated() {
        let prompt = &[b'x'; 41];
        for (events, characters, (input, output, estimated)) in [
            (&[START, DELTA][..], 1000, (3, 5, false)),
            (&[START], 1000, (3, 250, true)),
            (&[START], 1001, (3, 251, true)),
            (&[START], 8, (3, 2, true)),
            (&[START], 0, (3, 2, true)),
            (&[], 0, (11, 0, true)),
            (&[DELTA], 0, (0, 5, false)),
        ] {
            let (tokens, is_estimate) = settle(&usage(events, characters), prompt);
            assert_eq!(
                (tokens.input, tokens.output, is_estimate),
                (input, output, estimated),
                "{events:?} {characters}"
            );
        }
        let from_cache = r#"{"message":{"usage":{"input_tokens":0,"cache_read_input_tokens":40}}}"#;
        assert_eq!(settle(&usage(&[from_cache], 0), prompt).0.input, 0);
    }

    #[test]
    fn pictures_are_no_text_and_no_prompt_is_larger_than_a_model_reads() {
        let body = format!(r#"{{"data":"{}","text":"{}"}}"#, "iVBORw0KGgo/".repeat(1000), "a b ".repeat(1000));
        let text = "{data:,text:}".len() + 4000;
        assert_eq!(text_bytes(body.as_bytes()), text as u64);
        let endless = "a word ".repeat(1 << 20);
        assert_eq!(settle(&usage(&[], 0), endless.as_bytes()).0.input, LARGEST_PROMPT);
    }
}
