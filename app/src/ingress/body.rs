//! Reads a request's body whole, because it may have to be sent twice, but never more of it than the limit.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use poem::Body;
use tokio_util::task::AbortOnDropHandle;

use crate::domain::{ErrorType, Failure};

/// Room that is made before any byte has come, whatever `content-length` promises.
const PROMISE: usize = 1 << 20;

/// Reads the body. A declared length beyond the limit is refused before a byte is read.
///
/// A task of its own does it, which ends with the request. Each piece wakes whoever reads it, and from a request to its
/// connection it is a dozen layers of routes: a sixth of what a body of 1 MB took.
///
/// # Errors
/// 413 beyond the limit, 408 for an upload that goes silent, 400 for one that breaks off.
pub(super) async fn read(body: Body, declared: Option<u64>, limit: usize, idle: Duration) -> Result<Bytes, Failure> {
    if declared.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    match AbortOnDropHandle::new(tokio::spawn(read_here(body, declared, limit, idle))).await {
        Ok(read) => read,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and whoever waits with it.
            Err(_) => std::future::pending().await,
        },
    }
}

async fn read_here(body: Body, declared: Option<u64>, limit: usize, idle: Duration) -> Result<Bytes, Failure> {
    let mut chunks = std::pin::pin!(body.into_bytes_stream());
    let mut first = Bytes::new();
    let mut joined: Option<BytesMut> = None;
    loop {
        let chunk = match tokio::time::timeout(idle, chunks.next()).await {
            Err(_) => return Err(Failure::new(408, ErrorType::InvalidRequest, "The request body stopped coming.")),
            Ok(Some(Err(_))) => {
                return Err(Failure::new(400, ErrorType::InvalidRequest, "The request body broke off."));
            }
            Ok(Some(Ok(chunk))) => chunk,
            Ok(None) => return Ok(joined.map_or(first, BytesMut::freeze)),
        };
        if first.len().max(joined.as_ref().map_or(0, BytesMut::len)) + chunk.len() > limit {
            return Err(too_large(limit));
        }
        match &mut joined {
            Some(joined) => joined.extend_from_slice(&chunk),
            None if first.is_empty() => first = chunk,
            None => {
                let expected = declared.and_then(|length| usize::try_from(length).ok()).unwrap_or(0).min(PROMISE);
                let mut all = BytesMut::with_capacity(expected.max(first.len() + chunk.len()));
                all.extend_from_slice(&first);
                all.extend_from_slice(&chunk);
                joined = Some(all);
            }
        }
    }
}

fn too_large(limit: usize) -> Failure {
    let limit = bytesize::ByteSize::b(limit as u64).display().iec();
    Failure::new(413, ErrorType::RequestTooLarge, format!("The request body is larger than the proxy takes ({limit})."))
        .final_answer()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_chunks(chunks: &[&'static str], declared: Option<u64>) -> Result<Bytes, u16> {
        let stream =
            futures_util::stream::iter(chunks.iter().map(|chunk| Ok::<_, std::io::Error>(*chunk)).collect::<Vec<_>>());
        read(Body::from_bytes_stream(stream), declared, 10, Duration::from_secs(5))
            .await
            .map_err(|failure| failure.status)
    }

    #[tokio::test]
    async fn chunks_are_joined_in_order() {
        assert_eq!(read_chunks(&["ab", "", "cd", "ef"], Some(6)).await.unwrap(), "abcdef");
        assert_eq!(read_chunks(&[], None).await.unwrap(), "");
        assert_eq!(read_chunks(&["0123456789"], None).await.unwrap(), "0123456789");
    }

    #[tokio::test]
    async fn the_limit_holds_for_what_is_declared_and_for_what_comes() {
        assert_eq!(read_chunks(&[], Some(11)).await, Err(413));
        assert_eq!(read_chunks(&["01234", "567890"], None).await, Err(413));
        assert_eq!(read_chunks(&["01234567890"], None).await, Err(413));
    }

    #[tokio::test]
    async fn silence_ends_an_upload() {
        let stalled = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        let failure = read(Body::from_bytes_stream(stalled), None, 10, Duration::from_millis(5)).await.unwrap_err();
        assert_eq!(failure.status, 408);
    }
}
