//! The offline AWS itself: what a deployment relies on is as AWS has it.

pub(crate) mod cloud;
mod containers;
mod failures;
mod life;
