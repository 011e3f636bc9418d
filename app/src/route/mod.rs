//! Where a request goes, and what an answer of the plan means for it and for those after it.
//!
//! Three notions, apart from each other: *classification* (what an answer means), *breaking* (when a provider is not
//! asked for a while), *routing* (who is asked). The decisions are pure functions over data with the time passed in;
//! [`circuits`] and [`stays`] remember what they rest on.

pub mod breaker;
pub mod circuits;
pub mod classify;
pub mod decision;
pub mod model;
pub mod stays;
pub mod watch;
