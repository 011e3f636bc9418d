//! The tests of deployments, each in an AWS of its own on this machine.

#![expect(clippy::unwrap_used, reason = "in a test a broken assumption has to stop it on the spot")]

mod failures;
mod life;
mod looks;
mod offline;
mod refusals;
mod resume;
mod tool;
