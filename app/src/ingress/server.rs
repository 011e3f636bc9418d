//! Accepts connections, has them served, and lets them finish at shutdown.
//!
//! poem's own server is not used. It polls a connection again after hyper has given it up, which turns a broken
//! stream into one that ends cleanly and keeps the upstream of a client that has left; and it leaves Nagle's
//! algorithm on, which holds small events back.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use poem::web::RemoteAddr;
use poem::{Endpoint, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{self, Peers};
use super::phase::Waits;
use super::stages::Stages;

/// Wait after a failed accept, such as one without a free file descriptor, before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Time for the last words of a shutdown to reach their clients.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Connections that are taken from the listener's queue before it closes; the kernel's own limit for it, mostly.
const QUEUE: usize = 4096;

/// What connections are served with; each has a copy.
pub(super) struct Service<E> {
    pub(super) routes: Arc<E>,
    pub(super) waits: Waits,
    pub(super) stages: Stages,
    pub(super) tasks: Tasks,
}

/// Everything that runs for a connection: nothing is spawned besides, but for readers that end with their request, so that the
/// end of a shutdown waits for all of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Tasks {
    tracker: TaskTracker,
    abort: CancellationToken,
}

impl Tasks {
    /// Runs it until it has ended or is broken off. Dropping a connection drops its requests, and their meters say how
    /// they ended.
    pub(super) fn spawn(&self, task: impl Future<Output: Send> + Send + 'static) {
        let abort = self.abort.clone();
        // Boxed, because there would be room for it twice: where it is handed over and where it runs.
        let task = Box::pin(task);
        self.tracker.spawn(async move { drop(abort.run_until_cancelled(task).await) });
    }
}

/// Serves until the stage `closing`. Then no connection is accepted any more, idle ones are closed, and running
/// requests have until the stage `ending` before they are broken off.
pub(super) async fn serve<E>(listener: TcpListener, service: Service<E>)
where
    E: Endpoint<Output = Response> + 'static,
{
    let service = Arc::new(service);
    let Stages { closing, ending, .. } = &service.stages;
    loop {
        tokio::select! {
            () = closing.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => take(&service, accepted),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    // Whoever has connected already is served: the kernel would reset what is still in the queue.
    for _ in 0..QUEUE {
        let Some(Ok(accepted)) = listener.accept().now_or_never() else { break };
        take(&service, accepted);
    }
    drop(listener);
    let Tasks { tracker, abort } = &service.tasks;
    tracker.close();
    let all_ended_after_last_words = async {
        ending.cancelled().await;
        tracing::warn!(tasks = tracker.len(), "time is up: ending what still runs");
        tokio::time::timeout(LAST_WORDS, tracker.wait()).await
    };
    tokio::select! {
        () = tracker.wait() => return,
        ended = all_ended_after_last_words => if ended.is_ok() { return },
    }
    tracing::warn!(tasks = tracker.len(), "breaking off what still runs");
    abort.cancel();
    tracker.wait().await;
}

fn take<E>(service: &Arc<Service<E>>, (stream, remote): (TcpStream, std::net::SocketAddr))
where
    E: Endpoint<Output = Response> + 'static,
{
    // Both fail only for a connection that is gone already.
    let (Ok(local), Ok(())) = (stream.local_addr(), stream.set_nodelay(true)) else { return };
    let peers = Peers { local: poem::web::LocalAddr(local.into()), remote: RemoteAddr(remote.into()) };
    service.tasks.spawn(connection::run(stream, peers, Arc::clone(service)));
}
