//! Turns an access key into its holder, from memory where it can, from the database where it must.

mod directory;
mod hasher;
mod holders;
mod last_used;
mod presented;

pub use directory::{Directory, LookUpError};
pub use hasher::KeyHasher;
pub use holders::{Claim, Holders, Known, Question};
pub use last_used::{LastUsed, LastUsedTask, WRITE_EVERY};
pub use presented::{PresentedKey, sweep, take_from_headers};
