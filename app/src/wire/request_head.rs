//! What the proxy must know of a Messages request, found without walking all of it where its members are in the usual order.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::{Finder, FinderRev};

use super::json::{self, Cursor};

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

/// The name of the member, as it stands in the text; escapes in it, which nobody writes, would not be found.
const STREAM: &[u8] = b"\"stream\"";
static STREAM_ANYWHERE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(STREAM));
static STREAM_FROM_THE_END: LazyLock<FinderRev<'static>> = LazyLock::new(|| FinderRev::new(STREAM));

/// How much of the end is searched backwards. Clients put `stream` last, behind a few short members.
const END: usize = 4 << 10;

/// Reads the head. A body that is no JSON object has the empty head: the plan shall say what is wrong with it.
///
/// Clients write `model` first and `stream` last, with up to megabytes in between. To walk over all of that was a third of
/// what a request of a megabyte cost, so each is looked for at its own end. Of two models the first counts; of two
/// `stream`s the last, as it does for parsers.
pub fn read(body: &[u8]) -> RequestHead {
    let mut cursor = Cursor::new(body, 0);
    if !cursor.enter(b'{') {
        return RequestHead::default();
    }
    let model = value_of(body, &mut cursor, "model").and_then(|value| json::string(body, &value));
    RequestHead { model: model.map(|model| shortened(&model)).unwrap_or_default(), stream: is_stream(body) }
}

/// The value of the first member of that name that follows, the cursor behind it.
fn value_of(text: &[u8], cursor: &mut Cursor<'_>, name: &str) -> Option<Range<usize>> {
    while let Some(Some(key)) = cursor.next_key() {
        let value = cursor.skip()?;
        if json::string(text, &key)? == name {
            return Some(value);
        }
    }
    None
}

fn is_stream(body: &[u8]) -> bool {
    let end = &body[body.len().saturating_sub(END)..];
    let last = STREAM_FROM_THE_END.rfind(end).map(|at| body.len() - end.len() + at);
    if let Some(value) = last.and_then(|at| value_at_top(body, at)) {
        return &body[value] == b"true";
    }
    // It may stand elsewhere, or be a name of something inside of the request.
    STREAM_ANYWHERE.find(body).is_some() && walked(body)
}

/// The value of the member of the outermost object whose key is at `at`; `None` when that is something else.
///
/// A quote that is not escaped and has only this name before the next one is that of a key or a value. If the object that
/// has it is closed at the end of the text, no other is around it.
fn value_at_top(text: &[u8], at: usize) -> Option<Range<usize>> {
    if at == 0 || text[at - 1] == b'\\' {
        return None;
    }
    let mut cursor = Cursor::new(text, at);
    cursor.next_key()??;
    let value = cursor.skip()?;
    while cursor.next_key()?.is_some() {
        cursor.skip()?;
    }
    (json::skip_space(text, cursor.position()) == text.len()).then_some(value)
}

/// The same from the beginning, which finds it wherever it is.
fn walked(body: &[u8]) -> bool {
    let Some(members) = json::members(body, 0) else { return false };
    json::find(body, &members, "stream").is_some_and(|member| &body[member.value.clone()] == b"true")
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
    fn what_is_inside_of_a_request_is_not_the_requests_own() {
        for (body, stream) in [
            (r#"{"model":"m","stream":true,"tools":[{"properties":{"stream":{"type":"boolean"}}}]}"#, true),
            (r#"{"model":"m","tools":[{"input":{"stream":true}}]}"#, false),
            (r#"{"model":"m","stream":false,"x":{"stream":true}}"#, false),
            (r#"{"model":"m","text":"\"stream\":true}"}"#, false),
            (r#"{"model":"m","text":"\"stream","stream":true}"#, true),
            (r#"{"model":"m","a\"stream":true}"#, false),
            (r#"{"model":"m","x":"stream"}"#, false),
            (r#"{"model":"m","x":["stream",true]}"#, false),
            (r#"{"stream":true,"text":"LONG","model":"m"}"#, true),
        ] {
            let body = body.replace("LONG", &"long ".repeat(END));
            assert_eq!(read(body.as_bytes()), RequestHead { model: "m".to_owned(), stream }, "{body}");
        }
    }

    proptest::proptest! {
        /// Against a walk over the whole, wherever it stands.
        #[test]
        fn stream_is_found_as_a_walk_finds_it(
            names in proptest::collection::vec("stream|model|[a-z\"\\\\]{0,3}", 0..5),
            values in proptest::collection::vec("true|false|7|\"stream\"|\"\\\\\"stream\"|\\{\"stream\":true\\}|\\[\"stream\"\\]", 5),
        ) {
            let members: Vec<_> = names.iter().zip(&values).map(|(name, value)| format!("{name:?}:{value}")).collect();
            let body = format!("{{{}}}", members.join(","));
            proptest::prop_assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok(), "{}", body);
            proptest::prop_assert_eq!(is_stream(body.as_bytes()), walked(body.as_bytes()), "{}", body);
        }
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
