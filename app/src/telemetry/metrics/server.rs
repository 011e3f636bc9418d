//! `/metrics` on an address of its own, so that who may read it is a matter of the network, as Prometheus expects.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use poem::listener::TcpAcceptor;
use poem::web::Data;
use poem::{EndpointExt as _, IntoResponse, Route, Server, get, handler};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::prometheus;
use super::registry::Registry;

/// A connection without a request ends after this.
const IDLE: Duration = Duration::from_mins(2);
/// For answers that are under way at the end.
const LAST_ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// The server; end it with [`Self::stop`].
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl MetricsServer {
    /// Binds the port and serves.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(listen: SocketAddr, registry: Registry) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(listen).await.with_context(|| {
            format!("cannot listen on {listen}; is another process using the port? Set METRICS_ADDR to another one")
        })?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let acceptor = TcpAcceptor::from_tokio(listener)?;
        let server = Server::new_with_acceptor(acceptor).idle_timeout(IDLE);
        let routes = Route::new().at("/metrics", get(metrics)).data(registry);
        let stopped = stop.clone().cancelled_owned();
        let task = tokio::spawn(async move {
            if let Err(error) = server.run_with_graceful_shutdown(routes, stopped, Some(LAST_ANSWERS_WITHIN)).await {
                tracing::error!(%error, "the metrics are no longer served");
            }
        });
        tracing::info!(%address, "metrics are served");
        Ok(Self { address, stop, task })
    }

    /// Where it listens, with the real port when port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it.
    pub async fn stop(self) {
        self.stop.cancel();
        // Whatever went wrong has been told.
        let _ = self.task.await;
    }
}

#[handler]
fn metrics(Data(registry): Data<&Registry>) -> impl IntoResponse {
    prometheus::text(registry).with_content_type(prometheus::CONTENT_TYPE)
}
