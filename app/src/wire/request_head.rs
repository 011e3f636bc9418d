//! What the proxy must know of a Messages request, found by walking its top level once.

use super::json;

/// The two facts that decide how a request is sent. Anything else in the body is nobody's business here.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct RequestHead {
    /// `model`, at most 256 bytes of it; empty when there is none.
    pub model: String,
    /// Whether `stream` is `true`.
    pub stream: bool,
}

/// Longer names are nobody's model, and they would end up in logs and rows.
const MODEL_BYTES: usize = 256;

/// Reads the head. A body that is no JSON object has the empty head: the plan shall say what is wrong with it.
pub fn read(body: &[u8]) -> RequestHead {
    let Some(members) = json::members(body, 0) else { return RequestHead::default() };
    let model = json::find(body, &members, "model").and_then(|m| json::string(body, &m.value));
    let stream = json::find(body, &members, "stream").is_some_and(|m| &body[m.value.clone()] == b"true");
    RequestHead { model: model.map(|m| shortened(&m)).unwrap_or_default(), stream }
}

/// Cut to the limit and freed of control characters: a NUL, for one, is no text to PostgreSQL.
fn shortened(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(MODEL_BYTES)];
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_and_stream_are_found_wherever_they_stand() {
        let head = read(
            br#"{"messages":[{"role":"user","content":"\"stream\":false,{"}], "model" : "claude-x" , "stream" : true}"#,
        );
        assert_eq!(head, RequestHead { model: "claude-x".to_owned(), stream: true });
    }

    #[test]
    fn the_last_duplicate_counts_as_it_does_for_parsers() {
        assert!(read(br#"{"stream":false,"stream":true}"#).stream);
    }

    #[test]
    fn what_is_no_object_has_an_empty_head() {
        for body in [&b""[..], b"[]", b"{\"model\":", b"null", b"\xff\xfe"] {
            assert_eq!(read(body), RequestHead::default());
        }
        assert_eq!(read(br#"{"model":7,"stream":"true"}"#), RequestHead::default());
    }

    #[test]
    fn a_name_without_end_is_cut_between_characters() {
        let body = format!("{{\"model\":\"{}\"}}", "é".repeat(1000));
        assert_eq!(read(body.as_bytes()).model.len(), 256);
    }

    #[test]
    fn control_characters_do_not_reach_rows_and_logs() {
        assert_eq!(read(br#"{"model":"a\u0000b\nc"}"#).model, "abc");
    }
}
