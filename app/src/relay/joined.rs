//! Joins the pieces of a stream that are there at the same time.
//!
//! A provider's connection hands over one chunk, and the next only when that has been taken: two tasks take turns, and
//! whatever is relayed by a third that sees one piece at a time becomes a write of its own, 200 of them for an answer of
//! 200 events that came in one packet. The small task here takes turns with the connection until that has nothing left, and only then passes on what it has. There is no
//! timer: a piece that comes alone waits for one turn of the runtime, which is microseconds.

use std::io;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// Pieces are joined until they are as large as this; a larger one passes as it is.
const LARGEST: usize = 16 << 10;
/// Room for what joins a first piece; some dozen events of a model.
const ROOM: usize = 4 << 10;

/// The same bytes in fewer pieces. Dropped, it drops the stream.
pub(super) fn joined<S>(pieces: S) -> impl Stream<Item = io::Result<Bytes>> + Send
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
{
    // What is not read stays where it is: one piece here, one in the hands of the task.
    let (sender, receiver) = mpsc::channel(1);
    let task = AbortOnDropHandle::new(tokio::spawn(join(pieces.fuse(), sender)));
    stream::unfold(Some((receiver, task)), |running| async move {
        let (mut receiver, task) = running?;
        match receiver.recv().await {
            Some(piece) => Some((piece, Some((receiver, task)))),
            // A task that panicked has not read to the end.
            None => task.await.err().map(|error| (Err(io::Error::other(error)), None)),
        }
    })
}

async fn join(mut pieces: impl Stream<Item = io::Result<Bytes>> + Unpin, sender: mpsc::Sender<io::Result<Bytes>>) {
    while let Some(first) = pieces.next().await {
        let (all, error) = match first {
            Ok(first) => with_all_that_is_there(first, &mut pieces).await,
            Err(error) => (Bytes::new(), Some(error)),
        };
        if !all.is_empty() && sender.send(Ok(all)).await.is_err() {
            return;
        }
        if let Some(error) = error {
            // Nobody is left to be told where this fails.
            let _ = sender.send(Err(error)).await;
            return;
        }
    }
}

/// The piece and those that follow it without a wait, and the error behind them if there is one.
async fn with_all_that_is_there(
    first: Bytes,
    pieces: &mut (impl Stream<Item = io::Result<Bytes>> + Unpin),
) -> (Bytes, Option<io::Error>) {
    let mut all = BytesMut::new();
    let mut asked_again = false;
    while first.len().max(all.len()) < LARGEST {
        match pieces.next().now_or_never() {
            Some(Some(Ok(piece))) => {
                asked_again = false;
                if all.is_empty() {
                    all.reserve(ROOM.max(first.len() + piece.len()));
                    all.extend_from_slice(&first);
                }
                all.extend_from_slice(&piece);
            }
            Some(Some(Err(error))) => return (whole(first, all), Some(error)),
            Some(None) => break,
            None if asked_again => break,
            None => {
                asked_again = true;
                others_first().await;
            }
        }
    }
    (whole(first, all), None)
}

fn whole(first: Bytes, all: BytesMut) -> Bytes {
    if all.is_empty() { first } else { all.freeze() }
}

/// Lets every task run once that can run now. Tokio's own `yield_now` asks the kernel for news as well, each time.
async fn others_first() {
    let mut asked = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(
        pieces: impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
    ) -> Vec<Result<Bytes, String>> {
        joined(pieces).map(|piece| piece.map_err(|error| error.to_string())).collect().await
    }

    #[tokio::test]
    async fn what_is_there_is_joined_up_to_a_size_and_an_error_comes_last() {
        let small = vec![b'x'; 1000];
        let pieces = (0..20).map(|_| Ok(Bytes::from(small.clone()))).chain([Err(io::Error::other("broken"))]);
        let read = read(stream::iter(pieces.collect::<Vec<_>>())).await;
        let lengths: Vec<_> = read.iter().map(|piece| piece.as_ref().map(Bytes::len).map_err(String::as_str)).collect();
        assert_eq!(lengths, [Ok(17_000), Ok(3000), Err("broken")]);
    }

    #[tokio::test]
    async fn one_chunk_at_a_time_from_another_task_is_joined_too() {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            for piece in ["a", "b", "c", "d"] {
                sender.send(Ok(Bytes::from(piece))).await.unwrap();
            }
        });
        let pieces = stream::unfold(receiver, |mut receiver: mpsc::Receiver<_>| async {
            receiver.recv().await.map(|piece| (piece, receiver))
        });
        assert_eq!(read(Box::pin(pieces)).await, [Ok(Bytes::from("abcd"))]);
    }

    #[tokio::test]
    async fn a_panic_is_no_end() {
        let pieces = stream::iter(0..2).map(|number| match number {
            0 => Ok(Bytes::from_static(b"one")),
            _ => panic!("broken"),
        });
        let read = read(pieces).await;
        assert!(matches!(&read[..], [Err(error)] if error.contains("broken")), "{read:?}");
    }

    #[tokio::test]
    async fn what_has_come_is_not_held_back_for_what_has_not() {
        let one = stream::iter([Ok(Bytes::from("one"))]).chain(stream::pending());
        let mut pieces = Box::pin(joined(one));
        assert_eq!(pieces.next().await.unwrap().unwrap(), "one");
        assert!(pieces.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn the_stream_goes_when_nobody_reads_any_more() {
        let (held, mut gone) = mpsc::channel::<()>(1);
        let pieces = Box::pin(joined(stream::pending().inspect(move |_: &io::Result<Bytes>| drop(held.clone()))));
        drop(pieces);
        assert_eq!(gone.recv().await, None);
    }
}
