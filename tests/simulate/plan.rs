//! The simulated plan: answers until its limit is reached, and then as the real one does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use support::{RecordedRequest, Reply, ServerEvent};

use crate::conversation::{Conversation, Speaker};
use crate::paced;

/// How far away the end of the limit is, always: a simulated plan that has reached it does not come back.
const LIMITED_FOR: Duration = Duration::from_hours(1);

/// How many messages the plan still has to give.
pub(crate) enum Limit {
    /// Any number.
    None,
    /// So many.
    Left(AtomicU64),
}

impl Limit {
    /// A limit after that many messages, or none at all.
    pub(crate) fn after(messages: Option<u64>) -> Self {
        messages.map_or(Self::None, |messages| Self::Left(AtomicU64::new(messages)))
    }

    /// Takes one message, if there is one left.
    fn admits(&self) -> bool {
        match self {
            Self::None => true,
            Self::Left(left) => {
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
            }
        }
    }
}

/// What the plan says to a request.
pub(crate) fn answer(request: &RecordedRequest, limit: &Limit) -> Reply {
    match (request.method.as_str(), request.path()) {
        ("POST", "/v1/messages") => understood(request, |conversation| message(conversation, limit)),
        ("POST", "/v1/messages/count_tokens") => understood(request, |conversation| {
            Reply::json(200, json!({ "input_tokens": conversation.input_tokens() }).to_string())
        }),
        ("GET", "/v1/models") => models(),
        (method, path) => {
            Reply::plan_error(404, "not_found_error", &format!("The simulated plan has no {method} {path}"))
        }
    }
}

fn understood(request: &RecordedRequest, answer: impl FnOnce(&Conversation) -> Reply) -> Reply {
    match Conversation::read(&request.body) {
        Some(conversation) => answer(&conversation),
        None => Reply::plan_error(400, "invalid_request_error", "The request body is not a JSON object"),
    }
}

fn message(conversation: &Conversation, limit: &Limit) -> Reply {
    if !limit.admits() {
        let lifted = SystemTime::now() + LIMITED_FOR;
        return Reply::plan_limited(lifted.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
    }
    let answer = conversation.answer(Speaker::Plan, conversation.model());
    if conversation.wants_stream() {
        let events = answer.to_events();
        Reply::streamed(paced(events.iter().map(ServerEvent::to_bytes).collect())).as_plan_stream()
    } else {
        Reply::plan_json(&answer)
    }
}

fn models() -> Reply {
    let models = [
        ("claude-opus-5-5", "Claude Opus 5.5 (simulated)"),
        ("claude-sonnet-5-5", "Claude Sonnet 5.5 (simulated)"),
        ("claude-haiku-5-5", "Claude Haiku 5.5 (simulated)"),
    ];
    let data = models.map(|(id, display_name)| {
        json!({ "type": "model", "id": id, "display_name": display_name, "created_at": "2026-10-01T00:00:00Z" })
    });
    let list = json!({ "data": data, "has_more": false, "first_id": models[0].0, "last_id": models[2].0 });
    Reply::json(200, list.to_string())
}
