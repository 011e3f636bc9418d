//! The infrastructure of Claude Code Proxy as code: a small CDK, and the one stack that is written with it.
//!
//! Each layer knows those before it: `core` (what a construct tree is), `cfn` (AWS's resource types), `constructs`
//! (intent with good defaults), `proxy_stack` (our infrastructure). Nothing here does IO: [`core::Stack::synth`] is a
//! pure function, and whoever calls it writes the files.

pub mod cfn;
pub mod checks;
pub mod constructs;
pub mod core;
pub mod cost;
pub mod evaluator;
pub mod proxy_stack;
#[cfg(doctest)]
mod refused;
