//! Pushes images to a registry, after the OCI distribution specification 1.1.
//!
//! An image goes by its digest. What the registry has already is not sent again.

mod bar;
mod challenge;
mod client;
mod push;
mod reference;
mod retry;
mod upload;

pub(crate) use client::client;
pub use client::{Credentials, Registry};
pub use push::{Pushed, has, push};
pub use reference::{Reference, Scheme, is_loopback};
