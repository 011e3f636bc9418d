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

/// Watches the bytes of a stream for its last event, split as they may be.
#[derive(Default)]
pub(super) struct LastEvent {
    tail: Vec<u8>,
    stop: bool,
    error: bool,
}

impl LastEvent {
    /// What only an event itself can say: inside of a text quotes are escaped, and there are no line breaks.
    const STOP: [&[u8]; 3] = [b"\"type\":\"message_stop\"", b"\"type\": \"message_stop\"", b"\nevent: message_stop"];
    const ERROR: [&[u8]; 3] = [b"\"type\":\"error\"", b"\"type\": \"error\"", b"\nevent: error"];

    fn see(&mut self, chunk: &[u8]) {
        let overlap = Self::STOP[1].len() - 1;
        self.tail.extend_from_slice(&chunk[..chunk.len().min(overlap)]);
        for text in [&self.tail[..], chunk] {
            self.stop |= Self::STOP.iter().any(|stop| memchr::memmem::find(text, stop).is_some());
            self.error |= Self::ERROR.iter().any(|error| memchr::memmem::find(text, error).is_some());
        }
        if chunk.len() >= overlap {
            self.tail.clear();
            self.tail.extend_from_slice(&chunk[chunk.len() - overlap..]);
        } else {
            self.tail.drain(..self.tail.len().saturating_sub(overlap));
        }
    }

    fn outcome(&self) -> Outcome {
        match (self.stop, self.error) {
            (true, _) => Outcome::Completed,
            (false, true) => Outcome::Failed,
            (false, false) => Outcome::Truncated,
        }
    }
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
                if last.stop {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_event_is_seen_at_every_split() {
        let whole =
            b"event: content_block_stop\ndata: {}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
        for at in 0..whole.len() {
            let mut last = LastEvent::default();
            last.see(&whole[..at]);
            last.see(&whole[at..]);
            assert_eq!(last.outcome(), Outcome::Completed, "split at byte {at}");
        }
        let mut bytes = LastEvent::default();
        for byte in whole {
            bytes.see(&[*byte]);
        }
        assert_eq!(bytes.outcome(), Outcome::Completed);
    }

    #[test]
    fn other_ends_are_told_apart() {
        let outcome = |text: &[u8]| {
            let mut last = LastEvent::default();
            text.chunks(5).for_each(|chunk| last.see(chunk));
            last.outcome()
        };
        assert_eq!(outcome(b"event: error\ndata: {\"type\":\"error\"}\n\n"), Outcome::Failed);
        let about_events = br#"data: {"type":"content_block_delta","text":"event: message_stop \"type\":\"message_stop\" event: error"}"#;
        assert_eq!(outcome(about_events), Outcome::Truncated);
        assert_eq!(outcome(b"event: content_block_delta\ndata: {}\n\n"), Outcome::Truncated);
        assert_eq!(outcome(b""), Outcome::Truncated);
    }
}
