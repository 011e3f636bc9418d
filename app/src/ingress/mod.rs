//! The proxy's HTTP side towards developers: routes, keys in the path or in a header, bodies, errors.

mod body;
mod connection;
mod error;
mod forward;
mod health;
mod in_flight;
mod last_words;
mod native;
mod operations;
mod phase;
mod rate;
mod routes;
mod server;
mod service;
mod stages;
mod watched;

use std::sync::Arc;

pub use in_flight::InFlight;
pub use rate::RateLimit;
#[cfg(test)]
pub(crate) use routes::{DOCUMENTED, OPEN};
pub use service::proxy_service;
pub use stages::Stages;

use tokio::net::TcpListener;
use tokio::sync::SetOnce;

use crate::admin::SharedAdmin;
use crate::config::{LimitConfig, ServerConfig, TimeoutConfig};
use crate::relay::Relay;
use crate::store::Database;
use crate::telemetry::standing::Standings;

/// What the routes work with.
#[derive(Debug)]
pub struct Ingress {
    /// The life of a request.
    pub relay: Relay,
    /// For `/ready`.
    pub database: Database,
    /// Limits.
    pub server: ServerConfig,
    /// Waits.
    pub timeouts: TimeoutConfig,
    /// Requests at a time.
    pub in_flight: InFlight,
    /// Requests of each key.
    pub rate: RateLimit,
    /// How far a shutdown is.
    pub stages: Stages,
    /// Models, prices, budgets and the zone of the sums have been looked at, however that went; requests wait for it, a few
    /// seconds at the most, and `/health` does not.
    pub opened: SetOnce<()>,
    /// How the parts behind the process are.
    pub standings: Standings,
}

/// As the routes share it.
pub type SharedIngress = Arc<Ingress>;

/// Serves on the listener until a shutdown has come to its end.
pub async fn serve(listener: TcpListener, ingress: SharedIngress, admin: SharedAdmin, limits: LimitConfig) {
    let service = server::Service {
        waits: phase::Waits { head: limits.head, keep_alive: limits.keep_alive },
        stages: ingress.stages.clone(),
        tasks: server::Tasks::default(),
        routes: Arc::new(routes::routes(ingress, admin)),
    };
    server::serve(listener, service).await;
}
