//! A clock that the processes of one machine share, so that one can say how long ago another did something.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of the monotonic clock.
#[expect(clippy::cast_sign_loss, reason = "the clock counts from the machine's start")]
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
