//! A stream that takes long to begin does not keep its client waiting in silence.

use std::pin::Pin;
use std::time::Duration;

use futures_util::{FutureExt as _, stream};

use super::ladder::Delivered;
use super::refused::Refused;
use crate::upstream::bedrock::bridge::Edit;
use crate::upstream::bedrock::{EventError, Events};

/// Waits for a stream to begin. If that takes longer than a client may be left in silence, the answer begins without
/// it, with the `edits` of the first body in its head, and the stream, or the error in its place, follows when it comes.
pub(super) async fn begun_in_time(
    begins: impl Future<Output = Result<Delivered<Events>, Refused>> + Send + 'static,
    edits: Vec<Edit>,
    silence: Duration,
) -> Result<Delivered<Events>, Refused> {
    let mut begins: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(begins);
    if let Ok(begun) = tokio::time::timeout(silence, begins.as_mut()).await {
        return begun;
    }
    let late = begins.map(|begun: Result<Delivered<Events>, Refused>| match begun {
        Ok(delivered) => delivered.answer,
        Err(refused) => {
            let error = if refused.counted_nothing { EventError::Refused } else { EventError::Reported };
            Box::pin(stream::iter([Err(error(refused.failure))])) as Events
        }
    });
    Ok(Delivered { answer: Box::pin(late.flatten_stream()), edits })
}
