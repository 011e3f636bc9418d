//! The reins of a stepped reply: the test decides when the next bytes go out, and how the body ends.

use std::io;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::patience::within;

/// Drives the body of [`Reply::stepped`](crate::Reply::stepped). Dropped without an end, it breaks the connection, so
/// that a forgotten [`finish`](Steps::finish) never looks like a clean end.
#[derive(Debug)]
pub struct Steps {
    sender: UnboundedSender<Step>,
}

#[derive(Debug)]
enum Step {
    Send(Bytes),
    Finish,
    Abort,
}

impl Steps {
    /// Sends these bytes. They are lost without notice once the peer is gone.
    pub fn send(&self, bytes: impl Into<Bytes>) {
        self.step(Step::Send(bytes.into()));
    }

    /// Ends the body as HTTP wants it.
    pub fn finish(&self) {
        self.step(Step::Finish);
    }

    /// Breaks the connection, after all that was sent before.
    pub fn abort(&self) {
        self.step(Step::Abort);
    }

    /// Waits until the body is over: finished, aborted, or left by the peer. Call it before an end of your own to see
    /// that a peer who leaves is felt here.
    pub async fn closed(&self) {
        within("the end of a stepped body", self.sender.closed()).await;
    }

    fn step(&self, step: Step) {
        // An error says that the body is over, which `closed` reports.
        let _ = self.sender.send(step);
    }
}

/// The reins, and the body which they drive.
pub(super) fn steps() -> (Steps, impl Stream<Item = io::Result<Bytes>> + Send + 'static) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Steps { sender }, stream::unfold(receiver, next_piece))
}

async fn next_piece(mut receiver: UnboundedReceiver<Step>) -> Option<(io::Result<Bytes>, UnboundedReceiver<Step>)> {
    match receiver.recv().await {
        Some(Step::Send(bytes)) => Some((Ok(bytes), receiver)),
        Some(Step::Finish) => None,
        Some(Step::Abort) | None => Some((Err(super::broken()), receiver)),
    }
}
