//! An answer on its way to the client: its head, its body, and the meter that goes with the body.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, HeaderValue};

use super::body::{End, InSpan, metered_bytes, metered_events};
use super::joined::joined;
use crate::domain::{FallbackReason, Outcome, Provider};
use crate::meter::{AnswerReader, RequestMeter, Served};
use crate::upstream::bedrock::Events;
use crate::wire::last_event::LastEvent;
use crate::wire::{headers, idle};

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
    /// Who answers; nobody was asked for what the proxy knows itself.
    pub(super) served: Option<Served>,
    pub(super) body: AnswerBody,
}

pub(super) enum AnswerBody {
    /// Bytes of the plan, and how their end is told.
    Plan(Body, End),
    /// A whole message of Bedrock.
    BedrockMessage(Bytes),
    /// A whole answer that costs nothing: a count, or what the proxy knows itself.
    Unmetered(Bytes),
    /// The events of Bedrock.
    BedrockEvents(Events),
}

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
    ///
    /// `events` says that these are the events of a message, which have a last one.
    pub(super) fn of_plan(
        head: (u16, HeaderMap),
        prefix: Bytes,
        rest: Rest,
        events: bool,
        idle_limit: Duration,
    ) -> Self {
        let (status, mut map) = head;
        headers::strip_hop_by_hop(&mut map);
        let length: Option<u64> =
            map.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok());
        let begun = stream::iter((!prefix.is_empty()).then_some(Ok(prefix)));
        let body: Body = match rest {
            Rest::More(response) => {
                let bytes =
                    response.bytes_stream().map(|item| item.map_err(|error| io::Error::other(error.without_url())));
                // What has a length comes in pieces that are as large as what was read.
                if length.is_some() {
                    Box::pin(begun.chain(idle::limit(bytes, idle_limit)))
                } else {
                    Box::pin(begun.chain(idle::limit(joined(bytes), idle_limit)))
                }
            }
            Rest::Ended => Box::pin(begun),
            Rest::Broken(what) => Box::pin(begun.chain(stream::iter([Err(io::Error::other(what))]))),
        };
        let served = Served { provider: Provider::Plan, fallback: None };
        let end = match length {
            _ if status == 204 || status == 304 => End::AfterBytes(0),
            Some(length) => End::AfterBytes(length),
            None if events => End::AfterLastEvent(LastEvent::default()),
            None => End::OfBody,
        };
        Self { status, headers: map, served: Some(served), body: AnswerBody::Plan(body, end) }
    }

    /// Has the meter read along, if this is the plan's and it has served.
    pub(super) fn meter_plan(&self, meter: &mut RequestMeter) {
        if matches!(self.body, AnswerBody::Plan(..)) && (200..300).contains(&self.status) {
            meter.meters_plan(|| AnswerReader::of(&self.headers));
        }
    }

    /// Binds the answer to the meter, which lives as long as the body does. `bodiless`: the request was a HEAD.
    pub(super) fn into_reply(self, mut meter: RequestMeter, bodiless: bool, ping_interval: Duration) -> Reply {
        meter.answers(self.status);
        let mut map = self.headers;
        if let Some(served) = self.served {
            map.insert(headers::PROVIDER, HeaderValue::from_static(served.provider.name()));
        }
        if let Some(reason) = self.served.and_then(|served| served.fallback).map(FallbackReason::name) {
            map.insert(headers::FALLBACK, HeaderValue::from_static(reason));
        }
        let span = meter.span().clone();
        let body: Body = match self.body {
            AnswerBody::Plan(bytes, end) => {
                let end = if bodiless { End::AfterBytes(0) } else { end };
                Box::pin(metered_bytes(bytes, end, meter))
            }
            AnswerBody::BedrockMessage(bytes) => {
                meter.saw_body();
                meter.saw_usage(&bytes);
                meter.ends(Outcome::Completed);
                Box::pin(stream::once(std::future::ready(Ok(bytes))))
            }
            AnswerBody::Unmetered(bytes) => {
                meter.saw_body();
                meter.ends(Outcome::Completed);
                Box::pin(stream::once(std::future::ready(Ok(bytes))))
            }
            AnswerBody::BedrockEvents(events) => Box::pin(metered_events(events, ping_interval, meter)),
        };
        Reply { status: self.status, headers: map, body: Box::pin(InSpan { body, span }) }
    }
}
