//! Answers as a model gives them: after a while, then twenty events a second, as many as the request says.
//!
//! How many that are stands in the body, because it gets through to Bedrock.

use std::convert::Infallible;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming};

use super::answers::Answers;
use super::pacer::{Format, Pacer, event};
use super::stamp::{ASKED, LENGTH};

/// Between the whole request and the first event, about what a model takes at least.
const FIRST_AFTER: Duration = Duration::from_millis(1500);
/// The number stands within so many bytes, also where more was put before it.
const WITHIN: usize = 4096;

/// Reads a body to its end and says how many events it asks for.
pub(super) async fn wanted(body: &mut Incoming) -> Result<Option<u64>, hyper::Error> {
    let mut begin = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let (Ok(piece), true) = (frame?.into_data(), begin.len() < WITHIN) {
            begin.extend_from_slice(&piece[..piece.len().min(WITHIN)]);
        }
    }
    Ok(LENGTH.read(&begin).next())
}

/// Waits as a model does before its first word, and gives the whole answer. The first event says when it was asked for.
pub(super) async fn answer(
    answers: &Answers,
    pacer: &Pacer,
    (format, events, asked): (Format, u64, u64),
) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> + use<> {
    tokio::time::sleep(FIRST_AFTER).await;
    let first = event(&format!("{} ", ASKED.write(asked)), format);
    let opening = [&answers.opening[format as usize][..], &first].concat().into();
    let following =
        stream::unfold(pacer.stream(format), async |mut events| events.recv().await.map(|one| (one, events)));
    let closing = stream::iter([answers.closing[format as usize].clone()]);
    let rest = usize::try_from(events).unwrap_or(usize::MAX).saturating_sub(1);
    stream::iter([opening]).chain(following.take(rest)).chain(closing).map(|piece| Ok(Frame::data(piece)))
}
