//! Bodies of requests as Claude Code writes them; the texts are made up.

use serde_json::{Value, json};

/// What the turns of a body are made of.
#[derive(Clone, Copy)]
pub(super) enum Turns {
    /// As a session goes: thinking, a call of a tool and its result with source code, an escape every few dozen bytes.
    Session,
    /// Calls of tools and their results in small pieces, every 300 bytes.
    SmallBlocks,
    /// Screenshots in base64.
    Images,
    /// Numbers and brackets, which is the worst: nothing can be skipped.
    Numbers,
}

const LINE: &str = "    let value = name(\"some text\"); // a comment\n\tfn name(arg: &str) -> Option<usize> {\n";
const PROSE: &str = "Reads the file and tells what is in it. A path is absolute; lines are counted from one. ";

/// A body of at least so many bytes, and not many more than that.
pub(super) fn body(size: usize, turns: Turns) -> Vec<u8> {
    let mut body = frame();
    let mut left = size.saturating_sub(body.to_string().len());
    let mut messages = vec![
        json!({"role": "user", "content": [{"type": "text", "text": PROSE.repeat(3)}, {"type": "text", "text": "Mend the tests."}]}),
        json!({"role": "system", "content": PROSE.repeat(5), "output_config": {"effort": "medium"}}),
    ];
    for number in 0.. {
        let turn = turn(turns, number);
        left = left.saturating_sub(turn.iter().map(|message| message.to_string().len()).sum());
        messages.extend(turn);
        if left == 0 {
            break;
        }
    }
    body["messages"] = messages.into();
    in_order(&body)
}

/// The members in the order in which the client writes them, which decides how far one has to look for some of them.
fn in_order(body: &Value) -> Vec<u8> {
    const ORDER: [&str; 10] = [
        "model",
        "messages",
        "system",
        "tools",
        "metadata",
        "max_tokens",
        "thinking",
        "context_management",
        "output_config",
        "stream",
    ];
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(ORDER.len()));
    let members = ORDER.map(|name| format!("\"{name}\":{}", body[name]));
    format!("{{{}}}", members.join(",")).into_bytes()
}

/// Everything around the messages.
fn frame() -> Value {
    let tools: Vec<Value> = ["Agent", "Bash", "Edit", "Glob", "Grep", "Read", "Skill", "Write"]
        .map(|name| {
            let path = json!({"type": "string", "description": "Where it is"});
            let schema = json!({"type": "object", "properties": {"path": path}, "required": ["path"], "additionalProperties": false});
            json!({"name": name, "description": PROSE.repeat(2), "input_schema": schema})
        })
        .into();
    let marker = json!({"type": "ephemeral", "ttl": "1h", "scope": "global"});
    json!({
        "model": "claude-opus-5-5",
        "messages": [],
        "system": [
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.330.d01; cc_entrypoint=sdk-cli;"},
            {"type": "text", "text": PROSE.repeat(8), "cache_control": marker},
        ],
        "tools": tools,
        "metadata": {"user_id": "{\"device_id\":\"d\",\"session_id\":\"45590fd9-d2fb-4e36-945c-8e166bb72aad\"}"},
        "max_tokens": 64_000,
        "thinking": {"type": "adaptive", "display": "omitted"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "output_config": {"effort": "medium"},
        "stream": true,
    })
}

/// What the model says, and what the client answers.
fn turn(turns: Turns, number: usize) -> [Value; 2] {
    let id = format!("toolu_{number:024}");
    let call = |name: &str, input: Value| json!({"type": "tool_use", "id": id, "name": name, "input": input});
    let result = |content: Value| json!({"type": "tool_result", "tool_use_id": id, "content": content});
    let (said, answered) = match turns {
        Turns::Session => (
            vec![
                json!({"type": "thinking", "thinking": "", "signature": "c2lnbmF0dXJl".repeat(40)}),
                json!({"type": "text", "text": PROSE}),
                call("Read", json!({"path": format!("/src/part_{number}.rs"), "offset": number})),
            ],
            result(LINE.repeat(24).into()),
        ),
        Turns::SmallBlocks => (vec![call("Bash", json!({"command": "ls"}))], result("a\nb\n".into())),
        Turns::Images => {
            let source = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo/".repeat(8192)});
            (vec![call("Read", json!({"path": "/shot.png"}))], result(json!([{"type": "image", "source": source}])))
        }
        Turns::Numbers => (vec![call("plot", json!({"points": vec![[number, 1, 2]; 400]}))], result("done".into())),
    };
    [json!({"role": "assistant", "content": said}), json!({"role": "user", "content": [answered]})]
}
