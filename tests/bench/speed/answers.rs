//! What the upstream of a measurement answers, and how it is asked for.

use bytes::Bytes;
use support::{Answer, ServerEvent, frames};

/// The header that says which answer is wanted. It passes through whatever stands in between.
pub(crate) const WISH: &str = "x-bench";
/// Pieces of text in an answer, which has five events besides: its begin and its end, and those of its only block.
pub(crate) const DELTAS: usize = 195;
/// Events of an answer.
pub(crate) const EVENTS: usize = DELTAS + 5;

/// A kind of answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wish {
    /// A message as JSON.
    Json,
    /// A stream of [`EVENTS`] events, as fast as they go.
    Events,
    /// A stream of 20 events a second until the client leaves, each with the time at which it was made. Where the request
    /// says how long it shall be it is as one of a model, from the plan and from Bedrock: see [`super::modelled`].
    Paced,
    /// A refusal that is about this request alone, so that the next one is asked, too.
    Refusal,
}

impl Wish {
    const ALL: [Self; 4] = [Self::Json, Self::Events, Self::Paced, Self::Refusal];

    /// The value of the header.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Events => "events",
            Self::Paced => "paced",
            Self::Refusal => "refusal",
        }
    }

    /// What a value of the header asks for.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|wish| wish.name().as_bytes() == name)
    }
}

/// The answers, written once.
pub(super) struct Answers {
    pub(super) json: Bytes,
    pub(super) events: Vec<Bytes>,
    pub(super) frames: Vec<Bytes>,
    /// What a stream begins with before its text, as each provider writes it.
    pub(super) opening: [Bytes; 2],
    /// What it ends with.
    pub(super) closing: [Bytes; 2],
}

impl Answers {
    pub(super) fn new() -> Self {
        let text = (0..DELTAS).map(|n| format!("piece {n} of a text that a model might write, "));
        let answer = Answer::deltas(text);
        let events: Vec<Bytes> = answer.to_events().iter().map(ServerEvent::to_bytes).collect();
        let frames = frames::bedrock_stream(&answer);
        let (opening, closing) = (..EVENTS - DELTAS - 3, EVENTS - 3..);
        Self {
            json: Answer::text("A short answer.").to_json().into(),
            opening: [&events, &frames].map(|events| events[opening].concat().into()),
            closing: [&events, &frames].map(|events| events[closing.clone()].concat().into()),
            events,
            frames,
        }
    }
}
