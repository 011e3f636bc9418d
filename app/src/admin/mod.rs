//! The admin API: users, keys, usage and the state of the proxy, for administrators.
//!
//! Each file has the operations of one resource. An operation checks its input, has `store` do the work in one transaction
//! with its audit row, and tells the other instances; it never touches the path of a developer's request.

mod access;
mod access_key_change;
mod access_key_shapes;
mod access_keys;
mod audit;
mod bedrock_keys;
mod budgets;
mod caller;
mod capabilities;
mod change;
mod circuits;
mod deadline;
mod docs;
mod expiry;
mod families;
mod hushed;
mod idempotency;
mod lifecycle;
mod list;
mod login;
mod models;
mod money;
mod prices;
mod problem;
mod queries;
mod refusal;
mod requests;
mod routes;
mod service;
mod sorts;
mod texts;
mod usage;
mod user_shapes;
mod users;
mod words;

use std::sync::Arc;

pub use access::{Entrance, Logins, Tokens};
pub use expiry::Expiry;
pub use routes::routes;
pub use service::{AdminApi, admin_service};
pub use usage::Turns;

use crate::auth::KeyHasher;
use crate::changes::Changes;
use crate::config::{AdminConfig, Live};
use crate::store::Database;
use crate::upstream::bedrock::probe::KeyProbe;
use crate::vault::Vault;

/// What the operations work with.
#[derive(Debug)]
pub struct Admin {
    /// A pool of its own, so that no report ever waits in front of a developer's request, or behind one.
    pub database: Database,
    /// Who may, and from where.
    pub config: AdminConfig,
    /// The administrator, and the tokens.
    pub entrance: Live<Entrance>,
    /// Failed logins of the last minute.
    pub logins: Logins,
    /// Told of every change that was made here, before it is answered.
    pub changes: Changes,
    /// Hashes new keys.
    pub hasher: KeyHasher,
    /// Seals Bedrock keys.
    pub vault: Arc<dyn Vault>,
    /// Asks Bedrock whether it takes a key.
    pub probe: KeyProbe,
    /// Reports on usage wait for theirs.
    pub turns: Turns,
}

/// As the operations share it.
pub type SharedAdmin = Arc<Admin>;
