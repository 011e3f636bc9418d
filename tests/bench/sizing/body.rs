//! Bodies of requests: what stands before a conversation, and as much of one as makes them as large as they shall be.

use std::collections::BTreeMap;

use bytes::{BufMut as _, Bytes, BytesMut};
use serde_json::{Value, json};

use super::developer::{Asks, KINDS};
use super::schedule::Due;
use crate::speed::answers::Wish;
use crate::speed::client::{Ask, MESSAGES};
use crate::speed::stamp::LENGTH;

/// What a tool gives back, mostly a piece of a file.
const OUTPUT: &str = "    let answer = upstream.ask(&request).await?; // \"as it comes\"\n";
/// Lines of it in each result.
const LINES: usize = 40;
/// Tools that are declared, of which each has about 2 KB.
const TOOLS: usize = 12;

/// The bodies of all sizes, each written once; the number of events, which differs, is put before it.
#[derive(Debug)]
pub(super) struct Bodies(BTreeMap<usize, Bytes>);

impl Bodies {
    /// Writes them.
    pub(super) fn new() -> Self {
        let sizes = KINDS.iter().flat_map(|kind| kind.bodies).map(|(_, bytes)| *bytes);
        Self(sizes.map(|bytes| (bytes, rest(bytes).into())).collect())
    }

    /// The request that is due.
    pub(super) fn ask(&self, due: &Due) -> Ask {
        let rest = self.0.get(&due.body).map_or(&[][..], |rest| rest);
        let (wish, path) = match due.asks {
            Asks::Stream => (Wish::Paced, MESSAGES),
            Asks::Message => (Wish::Json, MESSAGES),
            Asks::Count => (Wish::Json, "/v1/messages/count_tokens?beta=true"),
        };
        let begin = match due.asks {
            Asks::Stream => {
                format!(
                    r#"{{"metadata":{{"user_id":"{}"}},"stream":true,"max_tokens":32000,"#,
                    LENGTH.write(due.events)
                )
            }
            Asks::Message => r#"{"max_tokens":1024,"#.to_owned(),
            Asks::Count => "{".to_owned(),
        };
        let mut body = BytesMut::with_capacity(begin.len() + rest.len());
        body.put_slice(begin.as_bytes());
        body.put_slice(rest);
        Ask { wish, path, body: body.into() }
    }
}

/// A body of about this many bytes but for its first brace: tools where there is room, then the use of one after the other.
fn rest(bytes: usize) -> String {
    let mut messages = vec![json!({ "role": "user", "content": "Find out why the answer is late, and mend it." })];
    let tools: Vec<Value> = if bytes > 20_000 { (0..TOOLS).map(tool).collect() } else { Vec::new() };
    let mut body = json!({ "model": "claude-opus-5-5", "system": "You are a careful engineer.", "tools": tools });
    let mut length = body.to_string().len();
    for number in 0.. {
        let pair = exchange(number);
        let more: usize = pair.iter().map(|message| message.to_string().len()).sum();
        if length + more > bytes {
            break;
        }
        length += more;
        messages.extend(pair);
    }
    body["messages"] = messages.into();
    body.to_string().split_off(1)
}

fn tool(number: usize) -> Value {
    json!({
        "name": format!("tool_{number}"),
        "description": "Reads a part of a file and says what is in it. ".repeat(35),
        "input_schema": { "type": "object", "properties": { "path": { "type": "string" }, "lines": { "type": "integer" } } },
    })
}

fn exchange(number: usize) -> [Value; 2] {
    let id = format!("toolu_01{number:020}");
    let call =
        json!({ "type": "tool_use", "id": id, "name": "tool_1", "input": { "path": format!("src/file_{number}.rs") } });
    let text = json!({ "type": "text", "text": "Let me look at where the answer is relayed." });
    let result = json!({ "type": "tool_result", "tool_use_id": id, "content": OUTPUT.repeat(LINES) });
    [json!({ "role": "assistant", "content": [text, call] }), json!({ "role": "user", "content": [result] })]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn bodies_are_json_of_about_their_size_and_say_how_long_the_answer_shall_be() {
        let bodies = Bodies::new();
        for &(_, body) in KINDS.iter().flat_map(|kind| kind.bodies) {
            let ask = bodies.ask(&Due { after: Duration::ZERO, asks: Asks::Stream, body, events: 123 });
            let parsed: Value = serde_json::from_slice(&ask.body).unwrap();
            assert_eq!((&parsed["stream"], &parsed["model"]), (&true.into(), &"claude-opus-5-5".into()));
            assert_eq!(LENGTH.read(&ask.body[..200]).next(), Some(123));
            assert!(ask.body.len() < body + 300 && ask.body.len() + 4_000 > body, "{} of {body}", ask.body.len());
        }
    }
}
