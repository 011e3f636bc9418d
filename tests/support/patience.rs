//! The bound of every wait, so that a mistake ends as a failed test and never as one that hangs.

use std::time::Duration;

/// How long a test waits for something that ought to happen at once. Long, for machines that are busy.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for `future` at most [`PATIENCE`], and panics with `what` was awaited if that is over.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let bounded = tokio::time::timeout(PATIENCE, future).await;
    bounded.unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain for {what}"))
}
