//! The image that `cargo xtask build` makes: it is the same each time, a registry takes it, and a container of it serves.
//!
//! Here its binary is built without optimisation, which nothing in these tests depends on.

#![expect(clippy::unwrap_used, reason = "in a test a broken assumption has to stop it on the spot")]

mod container;
mod deployed;
mod flow;
mod made;
mod push;
mod registry;
