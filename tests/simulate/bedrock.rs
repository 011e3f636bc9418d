//! The simulated Bedrock: as strict as the real one with what only Anthropic's own API takes, so that a bad bridge shows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use support::{RecordedRequest, Reply, ServerEvent, frames};

use crate::conversation::{Conversation, Speaker};
use crate::paced;

/// What `InvokeModel` does not know at the top of a body.
const UNKNOWN_FIELDS: [&str; 3] = ["model", "stream", "context_management"];
/// What the Messages API of Bedrock does not know there.
const UNKNOWN_TO_MESSAGES: [&str; 2] = ["anthropic_version", "anthropic_beta"];

/// What Bedrock says to a request.
pub(crate) fn answer(request: &RecordedRequest) -> Reply {
    let operation = request.path().strip_prefix("/model/").and_then(|rest| rest.rsplit_once('/'));
    match (request.method.as_str(), request.path(), operation) {
        ("POST", "/anthropic/v1/messages", _) => of_messages(request),
        ("POST", _, Some((model, "invoke"))) => checked(request, |conversation| {
            Reply::bedrock_json(&conversation.answer(Speaker::Bedrock, &model_name(model)))
        }),
        ("POST", _, Some((model, "invoke-with-response-stream"))) => checked(request, |conversation| {
            let answer = conversation.answer(Speaker::Bedrock, &model_name(model));
            Reply::streamed(paced(frames::bedrock_stream(&answer))).as_bedrock_stream()
        }),
        ("POST", _, Some((_, "count-tokens"))) => counted(request),
        ("GET", "/inference-profiles", _) => Reply::json(200, r#"{"inferenceProfileSummaries":[]}"#),
        _ => Reply::bedrock_error(404, "UnknownOperationException", "The simulated Bedrock has no such operation."),
    }
}

/// The words of the body that `CountTokens` holds in base64.
fn counted(request: &RecordedRequest) -> Reply {
    let body = || {
        let call: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
        let body = STANDARD.decode(call["input"]["invokeModel"]["body"].as_str()?).ok()?;
        Conversation::read(&body)
    };
    match body() {
        Some(conversation) => Reply::json(200, format!(r#"{{"inputTokens":{}}}"#, conversation.input_tokens())),
        None => invalid("Malformed input request, please reformat your input and try again."),
    }
}

/// An answer of the Messages API.
fn of_messages(request: &RecordedRequest) -> Reply {
    if request.header("x-api-key").is_none_or(str::is_empty) {
        return Reply::bedrock_messages_error(401, "authentication_error", "invalid x-api-key");
    }
    let refused = |message: &str| Reply::bedrock_messages_error(400, "invalid_request_error", message);
    let Some(conversation) = Conversation::read(&request.body) else {
        return refused("The request body is not valid JSON");
    };
    if let Some(field) = UNKNOWN_TO_MESSAGES.iter().find(|field| conversation.has(field)) {
        return refused(&format!("{field}: Extra inputs are not permitted"));
    }
    if !conversation.has("model") {
        return refused("model: Field required");
    }
    let answer = conversation.answer(Speaker::Bedrock, &model_name(conversation.model()));
    if conversation.wants_stream() {
        let events = answer.to_events();
        Reply::streamed(paced(events.iter().map(ServerEvent::to_bytes).collect())).as_bedrock_messages_stream()
    } else {
        Reply::bedrock_messages_json(&answer)
    }
}

fn checked(request: &RecordedRequest, answer: impl FnOnce(&Conversation) -> Reply) -> Reply {
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    if token.is_none_or(str::is_empty) {
        let message = "Authentication failed: Please make sure your API Key is valid.";
        return Reply::bedrock_error(403, "AccessDeniedException", message);
    }
    let Some(conversation) = Conversation::read(&request.body) else {
        return invalid("Malformed input request, please reformat your input and try again.");
    };
    if let Some(field) = UNKNOWN_FIELDS.iter().find(|field| conversation.has(field)) {
        return invalid(&format!("{field}: Extra inputs are not permitted"));
    }
    if !conversation.has("anthropic_version") {
        return invalid("anthropic_version: Field required");
    }
    answer(&conversation)
}

fn invalid(message: &str) -> Reply {
    Reply::bedrock_error(400, "ValidationException", message)
}

/// The name by which a model calls itself: its id without region, vendor and version. What is no such id stays as it is.
fn model_name(id: &str) -> String {
    let id = id.replace("%3A", ":").replace("%2F", "/");
    let name = id.rsplit_once("anthropic.").map_or(id.as_str(), |(_, name)| name);
    name.split_once("-v1").map_or(name, |(name, _)| name).to_owned()
}
