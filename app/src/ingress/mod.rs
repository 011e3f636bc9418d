//! The proxy's HTTP side towards developers: routes, keys in the path or in a header, bodies, errors.

mod body;
mod error;
mod forward;
mod health;
mod operations;
mod routes;
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use operations::{HeaderKeyPart, OpenPart, PathKeyPart};
#[cfg(test)]
pub(crate) use routes::DOCUMENTED;
pub use routes::routes;
pub use server::serve;

use crate::config::{ServerConfig, TimeoutConfig};
use crate::relay::Relay;
use crate::store::Database;

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
    /// Set at SIGTERM.
    pub draining: AtomicBool,
}

/// As the routes share it.
pub type SharedIngress = Arc<Ingress>;

impl Ingress {
    /// From now on `/health` answers 503.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}
