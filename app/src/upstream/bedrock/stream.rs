//! The events of a streamed answer of Bedrock, each with its JSON as Bedrock sent it.

use std::sync::LazyLock;
use std::time::Duration;

use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_bedrockruntime::types::ResponseStream;
use aws_sdk_bedrockruntime::types::error::ResponseStreamError;
use aws_smithy_types::event_stream::RawMessage;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use memchr::memmem::Finder;

use super::failure::BedrockFailure;
use super::{Events, RawEvents};
use crate::domain::{ErrorType, Failure};
use crate::wire::{delta, json, splice::Splice, sse};

/// How long the end of a body is waited for behind its last event.
const END_COMES_WITHIN: Duration = Duration::from_millis(100);
pub(super) const METRICS: &str = "amazon-bedrock-invocationMetrics";
/// Made once, because every event is searched.
static METRICS_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(METRICS));

/// What an event says, as far as the proxy must know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// The first event; names the message and its input tokens.
    MessageStart,
    /// Reason of the end and output tokens.
    MessageDelta,
    /// The last event.
    MessageStop,
    /// Content, or something newer than this proxy.
    Other,
}

/// One event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its kind.
    pub kind: EventKind,
    /// Its `type`.
    pub name: String,
    /// Its JSON, byte for byte.
    pub json: Bytes,
    /// Characters that it adds to the answer.
    pub characters: u64,
}

impl Event {
    /// Reads the type of an event; `None` for what has none, which clients of Bedrock ignore.
    pub fn read(json: Bytes) -> Option<Self> {
        let members = json::members(&json, 0)?;
        let name = json::string(&json, &json::find(&json, &members, "type")?.value)?.into_owned();
        Self::named(name, json, &members)
    }

    /// An event of that name, whose JSON has these members; `None` where that is no name.
    pub fn named(name: String, json: Bytes, members: &[json::Member]) -> Option<Self> {
        let well_formed =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
        let kind = match name.as_str() {
            "message_start" => EventKind::MessageStart,
            "message_delta" => EventKind::MessageDelta,
            "message_stop" => EventKind::MessageStop,
            _ => EventKind::Other,
        };
        let characters = if kind == EventKind::Other { delta::characters_of(&json, members) } else { 0 };
        well_formed.then_some(Self { kind, name, json, characters })
    }

    /// The event as the Messages API sends it: the same JSON, without Bedrock's own metrics.
    pub fn to_sse(&self) -> Bytes {
        if METRICS_FINDER.find(&self.json).is_some()
            && let Some(members) = json::members(&self.json, 0)
        {
            let mut splice = Splice::default();
            splice.edit_object(&members, |index| members[index].name(&self.json).as_deref() == Some(METRICS), &[]);
            return sse::event(&self.name, &splice.apply(&self.json));
        }
        sse::event(&self.name, &self.json)
    }
}

/// Why a stream ended before its last event. Its text is fit for the log: AWS's words are for the client alone.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EventError {
    /// Bedrock said so in an exception frame or an `error` event, or its bytes were damaged: the client gets an `error` event.
    #[error("{} {}", .0.status, .0.error_type.name())]
    Reported(Failure),
    /// Bedrock refused the call, after the answer had begun for the client; nothing was counted there.
    #[error("{} {}", .0.status, .0.error_type.name())]
    Refused(Failure),
    /// The connection broke, went silent or ended early: the client's connection breaks too.
    #[error("the stream of Bedrock broke: {0}")]
    Broken(String),
}

/// What a stream brings: an event, or `None` where it only shows that it lives.
pub(super) type Sign = Result<Option<Event>, EventError>;

/// The events of a stream up to its `message_stop`, or up to the error that ended it; nothing follows an error.
pub(super) fn events(signs: impl Stream<Item = Sign> + Send + 'static, idle: Duration) -> Events {
    let begun = Some((Box::pin(signs), false));
    Box::pin(stream::unfold(begun, move |state| async move {
        let (mut signs, stopped) = state?;
        if stopped {
            // Everything has been said. Reading the end, if it comes at once, leaves a connection to use again.
            let end = async { while let Some(Ok(None)) = signs.next().await {} };
            let _ = tokio::time::timeout(END_COMES_WITHIN, end).await;
            return None;
        }
        loop {
            let error = match tokio::time::timeout(idle, signs.next()).await {
                Ok(Some(Ok(None))) => continue,
                Ok(Some(Ok(Some(event)))) => {
                    let stopped = event.kind == EventKind::MessageStop;
                    return Some((Ok(event), Some((signs, stopped))));
                }
                Ok(Some(Err(error))) => error,
                Ok(None) => EventError::Broken("it ended early".to_owned()),
                Err(_) => EventError::Broken("it went silent".to_owned()),
            };
            return Some((Err(error), None));
        }
    }))
}

/// The events of an answer of `InvokeModelWithResponseStream`, as the SDK hands it out.
pub fn of_sdk(raw: RawEvents, idle: Duration) -> Events {
    events(signs(raw), idle)
}

/// The frames of Amazon's event stream, each with an event in it.
fn signs(raw: RawEvents) -> impl Stream<Item = Sign> + Send {
    stream::unfold(Box::new(raw), |mut raw| async move {
        let sign = match raw.recv().await {
            Ok(None) => return None,
            Ok(Some(ResponseStream::Chunk(part))) => {
                Ok(part.bytes.and_then(|blob| Event::read(Bytes::from(blob.into_inner()))))
            }
            // A kind of frame that is newer than this proxy.
            Ok(Some(_)) => Ok(None),
            Err(error) => Err(reported_or_broken(&error)),
        };
        Some((sign, raw))
    })
}

/// What the client is told of an answer that cannot be read on.
pub(super) fn damaged() -> EventError {
    EventError::Reported(Failure::new(500, ErrorType::Api, "The answer of Bedrock was damaged on its way."))
}

fn reported_or_broken(error: &SdkError<ResponseStreamError, RawMessage>) -> EventError {
    match error {
        SdkError::ServiceError(context) => EventError::Reported(exception(context.err())),
        // Bytes of an unfinished frame at the end of the body; a damaged frame has none left.
        SdkError::ResponseError(context) if matches!(context.raw(), RawMessage::Invalid(Some(_))) => {
            EventError::Broken("it ended in the middle of a frame".to_owned())
        }
        SdkError::ResponseError(_) => damaged(),
        other => EventError::Broken(other.to_string()),
    }
}

/// The six exceptions of a stream, told as the errors are that come in place of one.
fn exception(error: &ResponseStreamError) -> Failure {
    let (status, code) = match error {
        ResponseStreamError::ThrottlingException(_) => (429, "ThrottlingException"),
        ResponseStreamError::ServiceUnavailableException(_) => (503, "ServiceUnavailableException"),
        ResponseStreamError::ModelTimeoutException(_) => (408, "ModelTimeoutException"),
        ResponseStreamError::ModelStreamErrorException(_) => (424, "ModelErrorException"),
        ResponseStreamError::ValidationException(_) => (400, "ValidationException"),
        _ => (500, "InternalServerException"),
    };
    let message = error.message().unwrap_or("Bedrock gave no reason").to_owned();
    BedrockFailure { status, code: code.to_owned(), message, retry_after: None }.to_client()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &str) -> Option<Event> {
        Event::read(Bytes::copy_from_slice(json.as_bytes()))
    }

    /// B-48
    #[test]
    fn the_metrics_of_bedrock_are_cut_out_and_nothing_else() {
        let stop = event(r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":3},"x":1.0}"#)
            .unwrap();
        assert_eq!(stop.kind, EventKind::MessageStop);
        assert_eq!(stop.to_sse(), "event: message_stop\ndata: {\"type\":\"message_stop\",\"x\":1.0}\n\n");
    }

    #[test]
    fn text_that_only_mentions_the_metrics_stays() {
        let delta =
            event(r#"{"type":"content_block_delta","delta":{"text":"amazon-bedrock-invocationMetrics"}}"#).unwrap();
        assert!(delta.to_sse().ends_with(b"{\"text\":\"amazon-bedrock-invocationMetrics\"}}\n\n"));
    }

    #[test]
    fn events_without_a_usable_type_are_ignored() {
        for json in ["{}", "[]", "", r#"{"type":7}"#, r#"{"type":"a\nb"}"#, r#"{"type":""}"#] {
            assert_eq!(event(json), None, "{json}");
        }
        assert_eq!(event(r#"{"type":"brand_new_event"}"#).unwrap().kind, EventKind::Other);
    }
}
