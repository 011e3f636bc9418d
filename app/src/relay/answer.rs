//! An answer on its way to the client: its head, its body, and the meter that is told how the body ended.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, HeaderValue};

use crate::domain::{FallbackReason, Outcome, Provider};
use crate::meter::{RequestMeter, Served};
use crate::upstream::bedrock::{Event, EventError, EventKind};
use crate::wire::{headers, idle, sse};

/// A body as it is relayed; an error breaks the client's connection.
pub type Body = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// What goes back to the client.
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The provider's headers, with ours.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// An answer of a provider, before it is bound to the meter.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) served: Served,
    pub(super) body: AnswerBody,
}

pub(super) enum AnswerBody {
    /// Bytes of the plan, and how many there will be if it says so.
    Plan(Body, Option<u64>),
    /// A whole message of Bedrock.
    BedrockMessage(Bytes),
    /// The events of Bedrock.
    BedrockEvents(Events),
}

/// The events of Bedrock as they come.
pub(super) type Events = Pin<Box<dyn Stream<Item = Result<Event, EventError>> + Send>>;

/// What follows the part of an answer that has been read.
pub(super) enum Rest {
    /// More to come.
    More(reqwest::Response),
    /// Nothing: that was the end.
    Ended,
    /// The connection broke; the client's shall break too.
    Broken(String),
}

impl Answer {
    /// An answer of the plan: status, headers and bytes as they come.
    pub(super) fn of_plan(status: u16, mut map: HeaderMap, prefix: Bytes, rest: Rest, idle_limit: Duration) -> Self {
        headers::strip_hop_by_hop(&mut map);
        let length = map.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok());
        let begun = stream::iter((!prefix.is_empty()).then_some(Ok(prefix)));
        let body: Body = match rest {
            Rest::More(response) => {
                let bytes =
                    response.bytes_stream().map(|item| item.map_err(|error| io::Error::other(error.without_url())));
                Box::pin(begun.chain(idle::limit(bytes, idle_limit)))
            }
            Rest::Ended => Box::pin(begun),
            Rest::Broken(what) => Box::pin(begun.chain(stream::iter([Err(io::Error::other(what))]))),
        };
        let served = Served { provider: Provider::Plan, fallback: None };
        Self { status, headers: map, served, body: AnswerBody::Plan(body, length) }
    }

    /// Binds the answer to the meter, which lives as long as the body does.
    pub(super) fn into_reply(self, mut meter: RequestMeter) -> Reply {
        meter.answers(self.status);
        let mut map = self.headers;
        map.insert(headers::PROVIDER, HeaderValue::from_static(self.served.provider.name()));
        if let Some(reason) = self.served.fallback.map(FallbackReason::name) {
            map.insert(headers::FALLBACK, HeaderValue::from_static(reason));
        }
        let body: Body = match self.body {
            AnswerBody::Plan(bytes, length) => Box::pin(metered_bytes(bytes, length, meter)),
            AnswerBody::BedrockMessage(bytes) => {
                meter.saw_body();
                meter.saw_usage(&bytes);
                meter.ends(Outcome::Completed);
                Box::pin(stream::once(std::future::ready(Ok(bytes))))
            }
            AnswerBody::BedrockEvents(events) => Box::pin(metered_events(events, meter)),
        };
        Reply { status: self.status, headers: map, body }
    }
}

/// Bytes of the plan. With a known length the server stops asking when it has them all, so the end is counted out.
fn metered_bytes(
    bytes: Body,
    length: Option<u64>,
    meter: RequestMeter,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold((bytes, length, Some(meter)), |(mut bytes, mut left, mut meter)| async move {
        let item = bytes.next().await;
        if let Some(meter) = &mut meter {
            match &item {
                Some(Ok(chunk)) => {
                    meter.saw_body();
                    left = left.map(|left| left.saturating_sub(chunk.len() as u64));
                    if left == Some(0) {
                        meter.ends(Outcome::Completed);
                    }
                }
                Some(Err(error)) => {
                    let _entered = meter.span().clone().entered();
                    tracing::warn!(%error, "the answer of the plan broke off");
                    meter.ends(Outcome::Truncated);
                }
                None => meter.ends(Outcome::Completed),
            }
        }
        let item = item?;
        // Behind an error there is nothing: dropping the meter here says how it ended.
        let meter = if item.is_err() { None } else { meter };
        Some((item, (bytes, left, meter)))
    })
}

/// Events of Bedrock, written as the Messages API writes them.
fn metered_events(events: Events, meter: RequestMeter) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold((events, Some(meter)), |(mut events, meter)| async move {
        let mut meter = meter?;
        match events.next().await? {
            Ok(event) => {
                meter.saw_body();
                if event.kind != EventKind::Other {
                    meter.saw_usage(&event.json);
                }
                if event.kind == EventKind::MessageStop {
                    // Clients may leave as soon as they have this event.
                    meter.ends(Outcome::Completed);
                }
                Some((Ok(event.to_sse()), (events, Some(meter))))
            }
            Err(error) => {
                let _entered = meter.span().clone().entered();
                tracing::warn!(%error, "the answer of Bedrock broke off");
                let last = match error {
                    EventError::Reported(failure) => {
                        meter.ends(Outcome::Failed);
                        Ok(sse::event("error", failure.to_json().as_bytes()))
                    }
                    EventError::Refused(failure) => {
                        meter.was_refused();
                        meter.ends(Outcome::Failed);
                        Ok(sse::event("error", failure.to_json().as_bytes()))
                    }
                    EventError::Broken(what) => {
                        meter.ends(Outcome::Truncated);
                        Err(io::Error::new(io::ErrorKind::UnexpectedEof, what))
                    }
                };
                Some((last, (events, None)))
            }
        }
    })
}
