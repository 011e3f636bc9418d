//! The body of an answer that may outlive the process: when time is up, a stream of events ends with an `error` event
//! and any other body breaks, so that half an answer is never taken for a whole one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use hyper::body::{Body, Frame, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::in_flight::overloaded;
use crate::wire::sse;

/// A body, and what is held as long as it is there.
pub(super) struct LastWords<B, H> {
    body: Option<Running<B, H>>,
    ending: Pin<Box<WaitForCancellationFutureOwned>>,
    speaks: bool,
}

struct Running<B, H> {
    body: B,
    _held: H,
}

impl<B, H> LastWords<B, H> {
    /// `held` is dropped with the body: when it has ended, when it has failed, when it is given up.
    pub(super) fn new(body: B, headers: &HeaderMap, ending: CancellationToken, held: H) -> Self {
        Self {
            body: Some(Running { body, _held: held }),
            ending: Box::pin(ending.cancelled_owned()),
            speaks: is_plain_event_stream(headers),
        }
    }
}

/// Whether words can be put at its end. Into compressed bytes they cannot.
fn is_plain_event_stream(headers: &HeaderMap) -> bool {
    let is_stream = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("text/event-stream"));
    is_stream && headers.get(CONTENT_ENCODING).is_none_or(|value| value == "identity")
}

/// The empty line ends an event that was half sent; where none was, it means nothing.
fn farewell() -> Bytes {
    let failure = overloaded("The proxy is shutting down. Try again.");
    [&b"\n\n"[..], &sse::event("error", failure.to_json().as_bytes())].concat().into()
}

impl<B, H> Body for LastWords<B, H>
where
    B: Body<Data = Bytes, Error = io::Error> + Unpin,
    H: Unpin,
{
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        let Some(running) = &mut this.body else { return Poll::Ready(None) };
        // Asked before a stream is, because an upstream that always has something to say would never let the end come.
        // Of anything else whatever is there goes out, such as the refusal that says that the proxy is shutting down.
        let last = if this.speaks && this.ending.as_mut().poll(cx).is_ready() {
            Some(Ok(Frame::data(farewell())))
        } else {
            match Pin::new(&mut running.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => return Poll::Ready(Some(Ok(frame))),
                Poll::Ready(last) => last,
                Poll::Pending if this.speaks || this.ending.as_mut().poll(cx).is_pending() => return Poll::Pending,
                Poll::Pending => Some(Err(io::Error::new(io::ErrorKind::TimedOut, "the proxy is shutting down"))),
            }
        };
        this.body = None;
        Poll::Ready(last)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(|running| running.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), |running| running.body.size_hint())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::StreamExt as _;

    use super::*;

    /// What a body with these headers says when time is up after "half", and whether it breaks.
    async fn rest_of(headers: &[(&'static str, &'static str)]) -> (String, bool) {
        let stream = futures_util::stream::iter([Ok::<_, io::Error>("half")]).chain(futures_util::stream::pending());
        let body = http::Response::from(poem::Response::builder().body(poem::Body::from_bytes_stream(stream)));
        let map = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let (ending, held) = (CancellationToken::new(), Arc::new(()));
        let mut body = LastWords::new(body.into_body(), &map, ending.clone(), Arc::clone(&held));
        let mut next = async || std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        assert_eq!(next().await.unwrap().unwrap().into_data().unwrap(), "half");
        ending.cancel();
        let last = next().await.unwrap().map(|frame| frame.into_data().unwrap());
        assert_eq!(Arc::strong_count(&held), 1, "the upstream is let go before the last words are out");
        assert!(next().await.is_none() && body.is_end_stream());
        (last.as_ref().map(|words| String::from_utf8(words.to_vec()).unwrap()).unwrap_or_default(), last.is_err())
    }

    #[tokio::test]
    async fn a_stream_of_events_is_told_and_ends() {
        let (words, breaks) = rest_of(&[("content-type", "text/event-stream; charset=utf-8")]).await;
        assert!(words.starts_with("\n\nevent: error\ndata: {") && words.ends_with("}\n\n"), "{words:?}");
        assert!(words.contains("overloaded_error") && !breaks);
    }

    #[tokio::test]
    async fn anything_else_breaks() {
        let nothing = (String::new(), true);
        assert_eq!(rest_of(&[("content-type", "application/json")]).await, nothing);
        assert_eq!(rest_of(&[("content-type", "text/event-stream"), ("content-encoding", "gzip")]).await, nothing);
    }
}
