//! Serves connections: accepts them, hands requests to the routes, and lets them finish at shutdown.
//!
//! poem's own server is not used. It polls a connection again after hyper has given it up, which turns a broken
//! stream into one that ends cleanly and keeps the upstream of a client that has left; and it leaves Nagle's
//! algorithm on, which holds small events back.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Time for the head of a request to come.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Wait after a failed accept, such as one without a free file descriptor, before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` ends. Then no connection is accepted any more, idle ones are closed, and running requests
/// have `limit` to finish before they are broken off.
pub async fn serve<E>(listener: TcpListener, routes: E, shutdown: impl Future<Output = ()>, limit: Duration)
where
    E: Endpoint<Output = Response> + 'static,
{
    let routes = Arc::new(routes);
    let (connections, finish, abort) = (TaskTracker::new(), CancellationToken::new(), CancellationToken::new());
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        match accepted.and_then(|(stream, remote)| stream.set_nodelay(true).map(|()| (stream, remote))) {
            Ok((stream, remote)) => {
                let connection = connection(stream, RemoteAddr(remote.into()), Arc::clone(&routes), finish.clone());
                let abort = abort.clone();
                // Dropping a connection drops its requests, and their meters say how they ended.
                connections.spawn(async move { abort.run_until_cancelled(connection).await });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    finish.cancel();
    if tokio::time::timeout(limit, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "time is up: breaking off what still runs");
        abort.cancel();
        connections.wait().await;
    }
}

async fn connection<E>(stream: TcpStream, remote: RemoteAddr, routes: Arc<E>, finish: CancellationToken)
where
    E: Endpoint<Output = Response> + 'static,
{
    let Ok(local) = stream.local_addr().map(|address| LocalAddr(address.into())) else { return };
    let service = service_fn(move |request: Request<Incoming>| {
        let (routes, local, remote) = (Arc::clone(&routes), local.clone(), remote.clone());
        async move {
            let response = routes.get_response((request, local, remote, Scheme::HTTP).into()).await;
            Ok::<_, Infallible>(http::Response::from(response))
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.http2().timer(TokioTimer::new());
    let mut serving = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = finish.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        // Clients leave and break off all the time; the request's own line says what became of it.
        tracing::debug!(error = %describe(error.as_ref()), "a connection ended early");
    }
}

fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    error.downcast_ref::<io::Error>().map_or_else(|| error.to_string(), |error| error.kind().to_string())
}
