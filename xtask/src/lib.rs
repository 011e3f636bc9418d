//! The project's commands, as a library so that the tests can start the same private PostgreSQL.
//!
//! Reading order: `main.rs` (the verbs), then the file of the verb, then `postgres.rs` and `leash.rs` below them.
//! Nothing here links the app: its binary is built and run, so that `cargo xtask` itself is built soon.

pub mod apt;
pub mod bench;
pub mod build;
pub mod command;
pub mod dev;
mod fingerprint;
pub mod leash;
mod nginx;
pub mod oci;
pub mod offline_aws;
pub mod operate;
pub mod postgres;
pub mod prepare;
pub mod progress;
mod random;
pub mod registry;
pub mod synth;
pub mod test;
pub mod workspace;
pub mod yardstick;
