//! Traffic in which much goes wrong, and the bill that it has to come to.
//!
//! Everything that is asked, answered and broken off follows from a seed ([`Case`]), so that the developers ([`Load`]), the
//! upstreams ([`answer`]) and the [`Bill`] agree without speaking to each other; PostgreSQL suffers by itself ([`Server`]).

#![expect(clippy::unwrap_used, reason = "in a test a broken assumption has to stop it on the spot")]

mod ask;
mod bill;
mod case;
mod dice;
mod journal;
mod life;
mod load;
mod logs;
mod odd;
mod outages;
mod sums;
mod upstreams;

pub use bill::Bill;
pub use case::{Case, Ends, KEYS, Kind, Leaves, PlanSays, wish};
pub use dice::Dice;
pub use journal::files_of_records;
pub use life::{Fate, Life};
pub use load::{Ending, Head, Load, Visit};
pub use logs::{Log, Said, of_server};
pub use outages::{Outage, Server, Suffered};
pub use sums::wrong;
pub use upstreams::{Arrivals, answer};
