//! Which provider is asked, when, and for how long: circuits, held-back streams, stays, strategies.

mod circuits;
mod hold_back;
mod sharing;
mod stays;
mod strategies;
