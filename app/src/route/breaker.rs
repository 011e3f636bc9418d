//! A circuit breaker as a state machine: failures in a sliding window open it, a wait half-opens it, one probe decides.
//!
//! The time is passed in, so that the machine is the same under a test's clock. It waits for nothing and locks nothing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// When a breaker opens and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    /// How long a request stays in the window.
    pub window: Duration,
    /// Requests that the window must hold before it can open; 1 looks at failures alone.
    pub at_least: usize,
    /// Failures in the window that open it.
    pub failures: Failures,
    /// How long it stays open the first time; doubled with each probe that fails.
    pub open_for: Duration,
    /// The longest that doubling leads to.
    pub open_at_most: Duration,
}

/// How many failures are too many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failures {
    /// So many.
    Number(usize),
    /// Half of the requests.
    Half,
}

/// Per credential and model family: three failures within a minute.
pub const PER_CREDENTIAL: Rule = Rule {
    window: Duration::from_mins(1),
    at_least: 1,
    failures: Failures::Number(3),
    open_for: Duration::from_secs(30),
    open_at_most: Duration::from_mins(30),
};

/// Per upstream, whoever asks: half of at least twenty requests within thirty seconds.
pub const PER_UPSTREAM: Rule = Rule {
    window: Duration::from_secs(30),
    at_least: 20,
    failures: Failures::Half,
    open_for: Duration::from_secs(30),
    open_at_most: Duration::from_mins(30),
};

/// Requests that a window remembers at the most; older ones age out early under more load than that.
const WINDOW_ENTRIES: usize = 1024;

/// Whether a request may pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// It may.
    Pass,
    /// It may, as the one probe that decides whether the breaker closes; its end must be reported.
    Probe,
    /// It may not.
    Refused,
}

/// The state, as people see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Requests pass.
    Closed,
    /// Requests do not pass until then.
    Open {
        /// When the first probe may pass.
        until: Instant,
    },
    /// The next request is the probe, or the probe is under way.
    HalfOpen,
}

impl Phase {
    /// The word in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// One breaker.
#[derive(Clone, Debug)]
pub struct Breaker {
    rule: Rule,
    /// When requests ended, and whether they failed, oldest first.
    recent: VecDeque<(Instant, bool)>,
    open_until: Option<Instant>,
    /// When it was last opened or closed for longer.
    opened_at: Option<Instant>,
    /// Whether a probe is under way.
    probing: bool,
    /// Probes that have failed since the breaker was closed.
    failed_probes: u32,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(rule: Rule) -> Self {
        Self { rule, recent: VecDeque::new(), open_until: None, opened_at: None, probing: false, failed_probes: 0 }
    }

    /// Asks for a request to pass. Whoever gets [`Admission::Probe`] owes a report.
    pub fn admit(&mut self, now: Instant) -> Admission {
        match self.open_until {
            None => Admission::Pass,
            Some(until) if now < until || self.probing => Admission::Refused,
            Some(_) => {
                self.probing = true;
                Admission::Probe
            }
        }
    }

    /// A request was served that was admitted at `admitted`. The probe closes the breaker; so does any other request
    /// that was let through all the same, for lack of another way. One that was under way when the breaker opened is
    /// older news and changes nothing. A served request takes no failure out of the window.
    ///
    /// Says whether that has closed the breaker before its time.
    pub fn served(&mut self, admitted: Instant, now: Instant) -> bool {
        if self.opened_at.is_some_and(|opened| admitted < opened) {
            return false;
        }
        let early = self.open_until.is_some_and(|until| now < until);
        if self.open_until.is_some() {
            self.reset();
        }
        self.remember(now, false);
        early
    }

    /// Closes it and forgets everything, because somebody knows better.
    pub fn reset(&mut self) {
        *self = Self::new(self.rule);
    }

    /// A request failed that was admitted at `admitted`. The probe reopens the breaker for longer; in the closed state
    /// the window decides. Requests that were under way when the breaker opened say nothing new.
    pub fn failed(&mut self, admitted: Instant, now: Instant) {
        if self.opened_at.is_some_and(|opened| admitted < opened) {
            return;
        }
        match self.open_until {
            Some(_) if self.probing => {
                self.probing = false;
                self.failed_probes = self.failed_probes.saturating_add(1);
                self.open(now, now + self.wait());
            }
            Some(_) => {}
            None => {
                self.remember(now, true);
                if self.has_too_many_failures() {
                    self.recent.clear();
                    self.open(now, now + self.wait());
                }
            }
        }
    }

    /// The upstream named the time until which it serves nothing; that wins over the breaker's own wait, except that
    /// nothing shortens a longer one that the upstream named before.
    pub fn close_until(&mut self, until: Instant, now: Instant) {
        self.probing = false;
        self.recent.clear();
        self.open(now, self.open_until.map_or(until, |before| before.max(until)));
    }

    /// The probe ended without a word about the upstream, for example because its client left: the next may try.
    pub fn probe_abandoned(&mut self) {
        self.probing = false;
    }

    /// The state at a moment.
    pub fn phase(&self, now: Instant) -> Phase {
        match self.open_until {
            None => Phase::Closed,
            Some(until) if now < until => Phase::Open { until },
            Some(_) => Phase::HalfOpen,
        }
    }

    /// Since when requests may have passed again, if the breaker was ever open and has not been closed by a success.
    pub fn open_until(&self) -> Option<Instant> {
        self.open_until
    }

    fn open(&mut self, now: Instant, until: Instant) {
        (self.opened_at, self.open_until) = (Some(now), Some(until));
    }

    fn wait(&self) -> Duration {
        let doubled = 2_u32.checked_pow(self.failed_probes).and_then(|factor| self.rule.open_for.checked_mul(factor));
        doubled.unwrap_or(self.rule.open_at_most).min(self.rule.open_at_most)
    }

    fn remember(&mut self, now: Instant, failed: bool) {
        // Only a share of failures needs to know of successes.
        if failed || self.rule.failures == Failures::Half {
            self.recent.push_back((now, failed));
        }
        while self.recent.len() > WINDOW_ENTRIES
            || self.recent.front().is_some_and(|(at, _)| now.duration_since(*at) > self.rule.window)
        {
            self.recent.pop_front();
        }
    }

    fn has_too_many_failures(&self) -> bool {
        let failures = self.recent.iter().filter(|(_, failed)| *failed).count();
        let too_many = match self.rule.failures {
            Failures::Number(number) => failures >= number,
            Failures::Half => failures * 2 >= self.recent.len(),
        };
        self.recent.len() >= self.rule.at_least && too_many
    }
}

#[cfg(test)]
mod tests;
