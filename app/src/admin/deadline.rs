//! Every request of the admin API has an end: its body comes in time, and its operation is over in time, whatever becomes of
//! the client, the database or the vault.

use std::time::Duration;

use bytes::Bytes;
use poem::{Body, Response, Result};

use super::problem::{Kind, Problem};

/// Largest body of a request.
pub(super) const MAX_BODY: usize = 1 << 20;
/// Time for the body of a request, all of it.
const BODY_WITHIN: Duration = Duration::from_secs(30);
/// Time for an operation: some statements, and 10 s of Bedrock's for `verify`.
const DONE_WITHIN: Duration = Duration::from_secs(25);
/// Time for the beginning of a report, which has waits of its own: for its turn, and for statements that may take long.
const REPORTED_WITHIN: Duration = Duration::from_mins(3);
/// Where the reports are.
const REPORTS: &str = "/admin/usage";

/// The body of a request.
///
/// # Errors
/// When it is larger, breaks off, or is not there in time.
pub(super) async fn read(body: Body) -> Result<Bytes> {
    let Ok(read) = tokio::time::timeout(BODY_WITHIN, body.into_bytes_limit(MAX_BODY)).await else {
        let message = format!("The body did not come within {} s.", BODY_WITHIN.as_secs());
        return Err(poem::Error::from_response(Problem::new(Kind::Malformed, "malformed", message).response()));
    };
    Ok(read?)
}

/// What an operation answers, or that it does not. A transaction that it leaves is rolled back.
///
/// # Errors
/// Those of the operation, and that it is not over in time.
pub(super) async fn over(path: &str, operation: impl Future<Output = Result<Response>>) -> Result<Response> {
    let time = if path.starts_with(REPORTS) { REPORTED_WITHIN } else { DONE_WITHIN };
    let Ok(answer) = tokio::time::timeout(time, operation).await else {
        let seconds = time.as_secs();
        tracing::error!(seconds, "an operation of the admin API was given up");
        let message = format!(
            "There was no answer from the database, or from what keeps the keys encrypted, within {seconds} s. Look whether \
             anything was changed before you try again."
        );
        return Err(poem::Error::from_response(Problem::new(Kind::Away, "too_slow", message).after(5).response()));
    };
    answer
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures_util::stream;
    use tokio::time::Instant;

    use super::*;

    fn status(refused: Result<impl Sized>) -> Option<u16> {
        refused.err().map(|error| error.into_response().status().as_u16())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_coming_is_given_up() {
        let begun = Instant::now();
        let half = stream::iter([Ok::<_, std::io::Error>("{")]);
        let stalled = Body::from_bytes_stream(futures_util::StreamExt::chain(half, stream::pending()));
        assert_eq!(status(read(stalled).await), Some(400));
        assert_eq!(begun.elapsed(), BODY_WITHIN);
        assert_eq!(status(read(Body::from(vec![0; MAX_BODY + 1])).await), Some(413));
        assert_eq!(read(Body::from("whole")).await.unwrap(), "whole");
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_that_hangs_is_given_up() {
        for (path, time) in [("/admin/users", DONE_WITHIN), ("/admin/usage/top", REPORTED_WITHIN)] {
            let begun = Instant::now();
            assert_eq!(status(over(path, pending()).await), Some(503));
            assert_eq!(begun.elapsed(), time, "{path}");
        }
        assert!(over("/admin/users", async { Ok(Response::default()) }).await.is_ok());
    }
}
