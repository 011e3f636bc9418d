//! A connection's socket and requests, watched for what they say about its phase.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::Instant;

use super::phase::{Phase, Waits};

/// The phase of one connection, shared by its socket, its requests and the task that ends it.
#[derive(Clone, Debug)]
pub(super) struct Watch(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    phase: watch::Sender<Phase>,
    /// Whether anybody wants to be told of changes. Each request brings several, and to tell of them took as long as
    /// finding the holder of its key.
    awaited: AtomicBool,
}

/// A request that is being served; the drop says that it is over.
#[derive(Debug)]
pub(super) struct Serving(Watch);

impl Watch {
    /// Of a connection that was accepted just now.
    pub(super) fn start() -> Self {
        let phase = watch::Sender::new(Phase::new(Instant::now()));
        Self(Arc::new(Watched { phase, awaited: AtomicBool::new(false) }))
    }

    /// A request has come.
    pub(super) fn begin(&self, multiplexed: bool) -> Serving {
        self.change(|phase| phase.request_began(multiplexed));
        Serving(self.clone())
    }

    /// The server says good-bye.
    pub(super) fn goodbye(&self) {
        self.change(|phase| phase.goodbye(Instant::now()));
    }

    /// Where the connection stands.
    pub(super) fn phase(&self) -> Phase {
        *self.0.phase.borrow()
    }

    /// Waits until the connection can be told to end without a request being lost: no head is on its way, and a client
    /// whose answer had begun before it could be told not to use the connection again has had `linger` to do so.
    /// Never returns when it does, because the next answer tells it.
    pub(super) async fn until_no_request_is_lost(&self, linger: Duration) {
        self.0.awaited.store(true, Ordering::Relaxed);
        let mut phases = self.0.phase.subscribe();
        // The sender is at hand, so there is always an answer.
        let phase = phases.wait_for(|phase| !phase.awaits_head()).await.map(|phase| *phase);
        if phase.is_ok_and(Phase::can_be_told) {
            return;
        }
        let _ = phases.wait_for(|phase| phase.is_idle()).await;
        if tokio::time::timeout(linger, phases.wait_for(|phase| !phase.is_idle())).await.is_ok() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the connection has stayed in a phase for longer than it may.
    ///
    /// It looks at intervals and not at every change: a phase lasts as long as a head may at least, so none ends unseen.
    pub(super) async fn overstays(&self, waits: Waits) {
        loop {
            let now = Instant::now();
            let next = now + waits.head.min(waits.keep_alive);
            let deadline = self.phase().deadline(waits).unwrap_or(next);
            if deadline <= now {
                return;
            }
            tokio::time::sleep_until(deadline.min(next)).await;
        }
    }

    fn change(&self, step: impl FnOnce(Phase) -> Phase) {
        self.0.phase.send_if_modified(|phase| {
            let next = step(*phase);
            std::mem::replace(phase, next) != next && self.0.awaited.load(Ordering::Relaxed)
        });
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.change(|phase| phase.request_ended(Instant::now()));
    }
}

/// A socket that notes when bytes come.
#[derive(Debug)]
pub(super) struct WatchedSocket<S> {
    socket: S,
    watch: Watch,
}

impl<S> WatchedSocket<S> {
    pub(super) fn new(socket: S, watch: Watch) -> Self {
        Self { socket, watch }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedSocket<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.watch.change(|phase| phase.bytes_came(Instant::now()));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedSocket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
