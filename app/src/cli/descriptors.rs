//! As many open files and connections as the process may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a request holds open: a connection from its client and one to a provider.
const EACH_REQUEST: u64 = 2;
/// Connections to the database, files, standard streams.
const BESIDES: u64 = 100;

/// Raises the soft limit, which is 1,024 nearly everywhere, to the hard one: at 500 requests the proxy would have no
/// connection left to ask anybody on. Warns where that is too little for so many requests in flight.
pub(super) fn allow_all(in_flight: usize) {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let needed = in_flight as u64 * EACH_REQUEST + BESIDES;
    if allowed < needed {
        tracing::warn!(
            allowed,
            needed,
            "MAX_IN_FLIGHT is more than this process has file descriptors for; raise its hard limit (ulimit -Hn)"
        );
    }
}
