//! Where a request goes, and what an answer of the plan means for it. Pure functions over data.

pub mod classify;
pub mod decision;
