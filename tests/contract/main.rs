//! The documents of the API hold: tools of others read them, and what they make of them works with the real app.

#![expect(clippy::unwrap_used, reason = "in a test a broken assumption has to stop it on the spot")]

mod flow;
mod fuzz;
mod generated;
mod lint;
mod page;
mod tool;
