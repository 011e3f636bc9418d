//! Ends a body that has been silent for too long, with an error that the connection passes on as a break.

use std::io;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};

/// Gives up on a stream when `limit` passes without an item; the last item is then a time-out error.
pub fn limit<S, T>(stream: S, limit: Duration) -> impl Stream<Item = io::Result<T>> + Send
where
    S: Stream<Item = io::Result<T>> + Send,
    T: Send,
{
    // `scan` ends the stream behind the first error, so that a stalled upstream is dropped and not asked again.
    tokio_stream::StreamExt::timeout(stream, limit)
        .map(|item| item.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "the sender went silent"))))
        .scan(false, |ended, item| {
            let over = std::mem::replace(ended, item.is_err());
            futures_util::future::ready((!over).then_some(item))
        })
}
