//! How fast a body is bridged for Bedrock, and how much memory that takes: `cargo bench -p claude-code-proxy`.
//!
//! Throughput is in bytes of the request. `max alloc` is the most memory in use at a time beyond the request itself; the
//! new body is part of it.

use claude_code_proxy::upstream::bedrock::bridge::{Rules, bridge};
use divan::AllocProfiler;
use divan::counter::BytesCount;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

const MODEL: &str = "global.anthropic.claude-opus-5-5";
/// Bytes of a body, about.
const SIZE: usize = 1 << 20;

fn main() {
    divan::main();
}

/// What the messages of a body are made of.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Source code and the output of tools, as an agent reads it: an escape every few dozen bytes.
    Code,
    /// The same in small pieces: a tool call and its result every 300 bytes.
    SmallBlocks,
    /// Screenshots in base64.
    Images,
    /// Numbers and brackets, which is the worst: nothing can be skipped.
    Numbers,
}

#[divan::bench(args = [Kind::Code, Kind::SmallBlocks, Kind::Images, Kind::Numbers])]
fn one_megabyte(bencher: divan::Bencher<'_, '_>, kind: Kind) {
    run(bencher, &body(kind), MODEL);
}

/// The same for a model that gets another kind of thinking, another effort and no messages of the system.
#[divan::bench]
fn one_megabyte_for_an_older_model(bencher: divan::Bencher<'_, '_>) {
    run(bencher, &body(Kind::Code), "us.anthropic.claude-sonnet-4-5-20250929-v1:0");
}

fn run(bencher: divan::Bencher<'_, '_>, body: &[u8], model: &str) {
    let mut headers = HeaderMap::new();
    let betas = "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,advanced-tool-use-2025-11-20";
    headers.insert("anthropic-beta", HeaderValue::from_static(betas));
    bencher
        .counter(BytesCount::new(body.len()))
        .bench_local(|| bridge(divan::black_box(body), &headers, Rules::of(model)).map(|bridged| bridged.body.len()));
}

/// A body of about [`SIZE`] bytes with the fields of a client.
fn body(kind: Kind) -> Vec<u8> {
    let mut messages = Vec::new();
    let mut size = 0;
    while size < SIZE {
        let (content, bytes) = turn(kind, messages.len());
        size += bytes;
        let role = if messages.len() % 2 == 0 { "user" } else { "assistant" };
        messages.push(json!({"role": role, "content": content}));
    }
    messages.push(json!({"role": "system", "content": "# Environment", "output_config": {"effort": "medium"}}));
    let marker = json!({"type": "ephemeral", "scope": "global"});
    let body = json!({
        "model": "claude-opus-5-5",
        "messages": messages,
        "system": [{"type": "text", "text": "x-anthropic-billing-header: cc_version=1;"}, {"type": "text", "text": "prompt", "cache_control": marker}],
        "tools": [{"name": "Bash", "input_schema": {"type": "object"}, "defer_loading": true}],
        "metadata": {"user_id": "{\"session_id\":\"s\"}"},
        "max_tokens": 64_000,
        "thinking": {"type": "adaptive", "display": "omitted"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "output_config": {"effort": "medium"},
        "stream": true,
    });
    body.to_string().into_bytes()
}

fn turn(kind: Kind, number: usize) -> (Value, usize) {
    let line = "    let value = name(\"some text\"); // a comment\n\tfn name(arg: &str) -> Option<usize> {\n";
    let id = format!("toolu_{number:08}");
    let content = match kind {
        Kind::Code => {
            json!([{"type": "text", "text": line.repeat(100)}, {"type": "tool_use", "id": id, "name": "Read", "input": {"path": "/src/lib.rs"}}])
        }
        Kind::SmallBlocks => {
            json!([{"type": "tool_use", "id": id, "name": "Bash", "input": {"command": "ls"}}, {"type": "text", "text": line}])
        }
        Kind::Images => {
            json!([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo/".repeat(8192)}}])
        }
        Kind::Numbers => {
            json!([{"type": "tool_use", "id": id, "name": "plot", "input": {"points": vec![[number, 1, 2]; 400]}}])
        }
    };
    let bytes = content.to_string().len();
    (content, bytes)
}
