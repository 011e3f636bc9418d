//! Who may use the admin API: from which networks, with which password, how often, and with which tokens.

mod address;
mod entrance;
mod logins;
mod password;
mod tokens;

pub use entrance::Entrance;
pub use logins::Logins;
pub use tokens::Tokens;

pub(super) use address::{client_address, is_relayed_by_a_stranger};
pub(super) use entrance::enter;
pub(super) use tokens::{LIFETIME, Token};
