//! Where a connection stands between two requests, and until when it may stay there. Pure: the time is passed in.
//!
//! hyper's own time-out for heads is not used: it counts the silence between two requests as a head that does not
//! come, and a load balancer that keeps its connections for minutes answers 502 when we close one first.

use std::time::Duration;

use tokio::time::Instant;

/// The bounds of what a connection may wait for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// For the rest of a head that has begun; a new connection counts as one.
    pub(super) head: Duration,
    /// For the next request.
    pub(super) keep_alive: Duration,
}

/// Where a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Phase {
    state: State,
    /// HTTP/2: its frames come at any time, so bytes alone are no beginning of a head. A head that stalls there stalls
    /// everything, the answer to the server's pings too, and these have a time-out of their own.
    multiplexed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// A head is on its way since then.
    Head(Instant),
    /// So many requests are being served.
    Busy(usize),
    /// Nothing happens since then.
    Idle(Instant),
}

impl Phase {
    /// A connection that was accepted just now.
    pub(super) fn new(now: Instant) -> Self {
        Self { state: State::Head(now), multiplexed: false }
    }

    /// Bytes were read.
    #[must_use]
    pub(super) fn bytes_came(mut self, now: Instant) -> Self {
        if let (State::Idle(_), false) = (self.state, self.multiplexed) {
            self.state = State::Head(now);
        }
        self
    }

    /// A head is complete.
    #[must_use]
    pub(super) fn request_began(self, multiplexed: bool) -> Self {
        let others = if let State::Busy(others) = self.state { others } else { 0 };
        Self { state: State::Busy(others + 1), multiplexed }
    }

    /// An answer has ended, or its client has given it up.
    #[must_use]
    pub(super) fn request_ended(mut self, now: Instant) -> Self {
        self.state = match self.state {
            State::Busy(requests @ 2..) => State::Busy(requests - 1),
            _ => State::Idle(now),
        };
        self
    }

    /// The server says good-bye; an idle client has the time of a head to hear it.
    #[must_use]
    pub(super) fn goodbye(mut self, now: Instant) -> Self {
        if let State::Idle(_) = self.state {
            self.state = State::Head(now);
        }
        self
    }

    /// Whether the connection is between two requests, with nothing on its way.
    pub(super) fn is_idle(self) -> bool {
        matches!(self.state, State::Idle(_))
    }

    /// Whether a head is on its way, or the first has yet to come.
    pub(super) fn awaits_head(self) -> bool {
        matches!(self.state, State::Head(_))
    }

    /// Whether the client learns of an end of the connection before it uses it again: it is not using it, or HTTP/2 has
    /// a frame for that.
    pub(super) fn can_be_told(self) -> bool {
        self.multiplexed || self.is_idle()
    }

    /// When it has waited long enough; `None` while requests are served.
    pub(super) fn deadline(self, waits: Waits) -> Option<Instant> {
        match self.state {
            State::Head(since) => Some(since + waits.head),
            State::Busy(_) => None,
            State::Idle(since) => Some(since + waits.keep_alive),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: Waits = Waits { head: Duration::from_secs(10), keep_alive: Duration::from_mins(10) };

    fn second(number: u64) -> Instant {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        *START.get_or_init(Instant::now) + Duration::from_secs(number)
    }

    #[test]
    fn a_new_connection_has_the_time_of_a_head_however_its_bytes_trickle() {
        let mut phase = Phase::new(second(0));
        for now in 1..9 {
            phase = phase.bytes_came(second(now));
        }
        assert_eq!(phase.deadline(WAITS), Some(second(10)));
    }

    #[test]
    fn an_idle_connection_has_long_until_a_head_begins_and_then_the_time_of_a_head() {
        let served = Phase::new(second(0)).request_began(false);
        assert_eq!(served.bytes_came(second(5)).deadline(WAITS), None, "the body of a request may take its time");
        let idle = served.request_ended(second(20));
        assert_eq!(idle.deadline(WAITS), Some(second(620)));
        let begun = idle.bytes_came(second(300)).bytes_came(second(305));
        assert_eq!(begun.deadline(WAITS), Some(second(310)));
        assert_eq!(begun.request_began(false).deadline(WAITS), None);
    }

    #[test]
    fn frames_of_http_2_are_no_head_and_requests_overlap() {
        let two = Phase::new(second(0)).request_began(true).request_began(true);
        let one = two.request_ended(second(1));
        assert_eq!(one.deadline(WAITS), None);
        let idle = one.request_ended(second(2)).bytes_came(second(3));
        assert_eq!(idle.deadline(WAITS), Some(second(602)));
        assert_eq!(idle.goodbye(second(4)).deadline(WAITS), Some(second(14)));
    }
}
