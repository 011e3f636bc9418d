//! What others say about the infrastructure: AWS's resource schemas, and three validators of templates.
//!
//! They are installed by `cargo xtask test --only stack`; a plain `cargo test` leaves this out.

mod linters;
mod schema;
mod schemas;
