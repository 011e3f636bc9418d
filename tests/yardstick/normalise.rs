//! What must differ between the two runs of a pair, made equal. Everything else is compared as it was sent.
//!
//! - The model's name: Bedrock's profile in the one run, the plan's name in the other. The client tells the model which
//!   one it is.
//!
//! - What the client reports of a subagent: its id, drawn at random, and how long it took.
//!
//! Session, device, folders and prompt need nothing: both runs have the same.

use serde_json::{Value, json};
use support::RecordedRequest;

use crate::cases::Case;

/// The body of a request for Bedrock, and with it what is in its URL.
pub(crate) fn normalised(request: &RecordedRequest, case: Case) -> Value {
    let mut body = request.json();
    edit(&mut body, &|text| {
        *text = text.replace(case.profile, case.model);
        blank(text, "agentId: ", |character| character.is_ascii_hexdigit());
        blank(text, "with to: '", |character| character.is_ascii_hexdigit());
        blank(text, "duration_ms: ", |character| character.is_ascii_digit());
    });
    // A colon may be written in two ways.
    body["(url)"] = json!(request.target.replace("%3A", ":"));
    body
}

/// Changes every text.
fn edit(value: &mut Value, change: &dyn Fn(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(elements) => elements.iter_mut().for_each(|element| edit(element, change)),
        Value::Object(members) => members.values_mut().for_each(|member| edit(member, change)),
        _ => {}
    }
}

/// Cuts out what follows a word, as far as it is of that kind.
fn blank(text: &mut String, word: &str, kind: fn(char) -> bool) {
    if let Some((before, after)) = text.split_once(word) {
        *text = format!("{before}{word}{}", after.trim_start_matches(kind));
    }
}
