//! What a deployment would change: two states of a stack, the difference, what it opens, and how it is shown.

mod broadening;
mod difference;
mod review;
mod snapshot;

pub(crate) use broadening::{Grant, broadening};
pub(crate) use difference::{Change, Kind, difference};
pub(crate) use review::Review;
pub(crate) use snapshot::{Resource, Snapshot};
