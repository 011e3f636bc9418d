//! Bodies as they are relayed: every chunk passes as it comes, and the meter is told how it ended.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use tracing::Span;

use super::answer::Body;
use crate::domain::Outcome;
use crate::meter::RequestMeter;
use crate::upstream::bedrock::{EventError, EventKind, Events};
use crate::wire::last_event::LastEvent;
use crate::wire::sse;

/// How the end of a plan's body is told from a break.
pub(super) enum End {
    /// There are so many bytes. The server stops asking when it has them, so they are counted.
    AfterBytes(u64),
    /// There is a last event; what ends without it was cut off, however clean the end looks.
    AfterLastEvent(LastEvent),
    /// The body ends where it ends.
    OfBody,
}

impl End {
    fn see(&mut self, chunk: &[u8], meter: &mut RequestMeter) {
        match self {
            Self::AfterBytes(left) => {
                *left = left.saturating_sub(chunk.len() as u64);
                if *left == 0 {
                    meter.ends(Outcome::Completed);
                }
            }
            Self::AfterLastEvent(last) => {
                last.see(chunk);
                if last.is_over() {
                    // Clients may leave as soon as they have this event.
                    meter.ends(Outcome::Completed);
                }
            }
            Self::OfBody => {}
        }
    }
}

/// Bytes of the plan.
pub(super) fn metered_bytes(
    bytes: Body,
    end: End,
    mut meter: RequestMeter,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    if matches!(end, End::AfterBytes(0)) {
        // A body without bytes is never asked for.
        meter.ends(Outcome::Completed);
    }
    stream::unfold((bytes, end, Some(meter)), |(mut bytes, mut end, meter)| async move {
        let mut meter = meter?;
        match bytes.next().await {
            Some(Ok(chunk)) => {
                meter.saw_bytes(&chunk);
                end.see(&chunk, &mut meter);
                Some((Ok(chunk), (bytes, end, Some(meter))))
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "the answer of the plan broke off");
                meter.ends(Outcome::Truncated);
                Some((Err(error), (bytes, end, None)))
            }
            None => {
                let outcome = if let End::AfterLastEvent(last) = &end { last.outcome() } else { Outcome::Completed };
                meter.ends(outcome);
                let cut_off = outcome == Outcome::Truncated;
                let error =
                    || io::Error::new(io::ErrorKind::UnexpectedEof, "the plan's stream ended without its last event");
                cut_off.then(|| (Err(error()), (bytes, end, None)))
            }
        }
    })
}

/// Events of Bedrock, written as the Messages API writes them, with a ping wherever Bedrock is silent for too long:
/// it sends none itself, and what stands between it and the client takes a silent connection for a dead one.
pub(super) fn metered_events(
    events: Events,
    ping_interval: Duration,
    meter: RequestMeter,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold((events, Some(meter)), move |(mut events, meter)| async move {
        let mut meter = meter?;
        let Ok(event) = tokio::time::timeout(ping_interval, events.next()).await else {
            return Some((Ok(sse::event("ping", br#"{"type": "ping"}"#)), (events, Some(meter))));
        };
        match event? {
            Ok(event) => {
                meter.saw_body();
                meter.saw_text(event.characters);
                if event.kind != EventKind::Other {
                    meter.saw_usage(&event.json);
                }
                if event.kind == EventKind::MessageStop {
                    meter.ends(Outcome::Completed);
                }
                Some((Ok(event.to_sse()), (events, Some(meter))))
            }
            Err(error) => {
                tracing::warn!(%error, "the answer of Bedrock broke off");
                Some((last_words(error, &mut meter), (events, None)))
            }
        }
    })
}

fn last_words(error: EventError, meter: &mut RequestMeter) -> io::Result<Bytes> {
    if matches!(error, EventError::Refused(_)) {
        meter.was_refused();
    }
    match error {
        EventError::Reported(failure) | EventError::Refused(failure) => {
            meter.ends(Outcome::Failed);
            Ok(sse::event("error", failure.to_json().as_bytes()))
        }
        EventError::Broken(what) => {
            meter.ends(Outcome::Truncated);
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, what))
        }
    }
}

/// A body whose every step is logged with the id of its request.
pub(super) struct InSpan {
    pub(super) body: Body,
    pub(super) span: Span,
}

impl Stream for InSpan {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let _entered = this.span.enter();
        this.body.as_mut().poll_next(context)
    }
}
