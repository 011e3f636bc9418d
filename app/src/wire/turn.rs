//! Whether a Messages request begins a turn of the conversation, found by walking the body and building nothing.

use std::ops::Range;

use super::json;

/// A request is at a turn boundary when its last user message brings no result of a tool: nothing that the model began
/// is waiting for an answer. What cannot be read is taken for a boundary.
pub fn is_at_boundary(body: &[u8]) -> bool {
    let found = || {
        let members = json::members(body, 0)?;
        let messages = json::elements(body, json::find(body, &members, "messages")?.value.start)?;
        let last = messages.iter().rev().find(|message| is_from_user(body, message))?;
        Some(has_tool_result(body, last))
    };
    !found().unwrap_or(false)
}

/// Whether a conversation carries thinking that a provider has signed; a mention of it in a text does not count, because
/// quotes are escaped there.
pub fn has_signed_thinking(body: &[u8]) -> bool {
    [&b"\"signature\""[..], b"\"redacted_thinking\""].iter().any(|sign| memchr::memmem::find(body, sign).is_some())
}

fn is_from_user(body: &[u8], message: &Range<usize>) -> bool {
    member_text(body, message, "role").is_some_and(|role| role == "user")
}

fn has_tool_result(body: &[u8], message: &Range<usize>) -> bool {
    let Some(members) = json::members(body, message.start) else { return false };
    let Some(content) = json::find(body, &members, "content") else { return false };
    // A plain string has no blocks.
    let blocks = json::elements(body, content.value.start).unwrap_or_default();
    blocks.iter().any(|block| member_text(body, block, "type").is_some_and(|kind| kind == "tool_result"))
}

fn member_text<'b>(body: &'b [u8], object: &Range<usize>, name: &str) -> Option<std::borrow::Cow<'b, str>> {
    let members = json::members(body, object.start)?;
    json::string(body, &json::find(body, &members, name)?.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_of_a_tool_in_the_last_user_message_is_the_middle_of_a_turn() {
        let result = r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"x"},{"type":"text","text":"go on"}]}"#;
        let system = r#"{"role":"system","content":"context"}"#;
        let text = r#"{"role":"user","content":"a question about \"tool_result\""}"#;
        let answer = r#"{"role":"assistant","content":[{"type":"text","text":"x"}]}"#;
        for (messages, expected) in [
            (vec![text], true),
            (vec![text, answer, result], false),
            (vec![text, answer, result, system], false),
            (vec![result, answer, text], true),
            (vec![answer], true),
            (vec![], true),
        ] {
            let body = format!(r#"{{"model":"m","messages":[{}],"stream":true}}"#, messages.join(" , "));
            assert_eq!(is_at_boundary(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn signed_thinking_is_told_from_talk_about_it() {
        assert!(has_signed_thinking(br#"{"type":"thinking","thinking":"","signature":"c2ln"}"#));
        assert!(has_signed_thinking(br#"{"type":"redacted_thinking","data":"x"}"#));
        assert!(!has_signed_thinking(br#"{"type":"text","text":"what is a \"signature\"?"}"#));
    }

    #[test]
    fn what_cannot_be_read_is_a_boundary() {
        for body in [
            &b""[..],
            b"{",
            b"[]",
            b"{\"messages\":7}",
            b"{\"messages\":[7,\"x\"]}",
            b"{\"messages\":[{\"role\":\"user\"}]}",
        ] {
            assert!(is_at_boundary(body));
        }
    }
}
