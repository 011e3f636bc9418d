//! How a part behind the process was when it was last needed, for `/ready`: noted in passing, so that nobody has to ask it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use chrono::{DateTime, Utc};

/// How a part is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// The settings name none.
    Unused,
    /// It has not been needed yet.
    Untried,
    /// It did what it was last asked for.
    Ready,
    /// It did not.
    Failing,
}

/// What is known of one part; clones are about the same one.
#[derive(Clone, Debug)]
pub struct Standing(Arc<Noted>);

#[derive(Debug)]
struct Noted {
    state: AtomicU8,
    /// Milliseconds since 1970; 0: never.
    succeeded_at: AtomicI64,
}

/// What is known of all of them.
#[derive(Clone, Debug)]
pub struct Standings {
    /// Where Bedrock keys are sealed.
    pub vault: Standing,
    /// Where settings come from that are not in the environment.
    pub secrets: Standing,
    /// Where metrics are sent.
    pub metrics: Standing,
}

const STATES: [State; 4] = [State::Unused, State::Untried, State::Ready, State::Failing];

impl Standing {
    /// A part in this state.
    pub fn new(state: State) -> Self {
        Self(Arc::new(Noted { state: AtomicU8::new(state as u8), succeeded_at: AtomicI64::new(0) }))
    }

    /// It was asked for something, and did it or did not.
    pub fn note(&self, succeeded: bool) {
        let state = if succeeded { State::Ready } else { State::Failing };
        self.0.state.store(state as u8, Ordering::Relaxed);
        if succeeded {
            self.0.succeeded_at.store(Utc::now().timestamp_millis(), Ordering::Relaxed);
        }
    }

    /// How it is.
    pub fn state(&self) -> State {
        STATES[usize::from(self.0.state.load(Ordering::Relaxed)) % STATES.len()]
    }

    /// When it last did what it was asked for.
    pub fn succeeded_at(&self) -> Option<DateTime<Utc>> {
        let at = self.0.succeeded_at.load(Ordering::Relaxed);
        DateTime::from_timestamp_millis(at).filter(|_| at != 0)
    }
}

impl Default for Standings {
    fn default() -> Self {
        let unused = || Standing::new(State::Unused);
        Self { vault: unused(), secrets: unused(), metrics: unused() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_call_counts_and_the_last_success_is_remembered() {
        let standing = Standing::new(State::Untried);
        assert_eq!((standing.state(), standing.succeeded_at()), (State::Untried, None));
        standing.note(true);
        let at = standing.succeeded_at();
        assert!(at.is_some());
        standing.clone().note(false);
        assert_eq!((standing.state(), standing.succeeded_at()), (State::Failing, at));
    }
}
