//! The tests of deployments, each in an AWS of its own on this machine.

#![expect(clippy::unwrap_used, reason = "in a test a broken assumption has to stop it on the spot")]

mod admin;
mod destroy;
mod failures;
mod life;
mod logs;
mod looks;
mod offline;
mod policy;
mod refusals;
mod resume;
mod status;
mod tool;
mod verbs;
