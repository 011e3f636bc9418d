//! What is measured: parts of the proxy that every request or every piece of a stream goes through, each with an input as it
//! comes in practice. `parts` takes their times, `instructions` counts their instructions.
//!
//! Nothing here may hang on the time, on random numbers or on other threads: two runs have to do the same.

mod bills;
mod bodies;
mod conversation;
mod events;
mod requests;
mod streams;

use std::hint::black_box;

/// One thing that is measured.
#[derive(Clone, Copy)]
pub(super) struct Case {
    /// Its name on the command line and in the baseline.
    pub(super) name: &'static str,
    /// Makes its input.
    pub(super) prepare: fn() -> Prepared,
}

/// A case with its input.
pub(super) struct Prepared {
    /// How much is worked on in one run.
    pub(super) work: Work,
    /// Makes what a run uses up; what it returns is the run, which is measured.
    pub(super) begin: Box<dyn FnMut() -> Run>,
}

/// What is measured, once.
pub(super) type Run = Box<dyn FnOnce()>;

/// How much is worked on.
#[derive(Clone, Copy)]
pub(super) enum Work {
    /// So many bytes.
    Bytes(usize),
    /// The same thing so many times, because once is too little to be measured.
    Times(usize),
}

/// How many times something small is done in one run.
const TIMES: usize = 100;

/// All of them.
pub(super) fn all() -> Vec<Case> {
    [bodies::CASES, streams::CASES, requests::CASES, bills::CASES].concat()
}

impl Prepared {
    /// Does something with bytes, once a run.
    fn of_bytes<T, F: Fn(&[u8]) -> T + Clone + 'static>(bytes: Vec<u8>, run: F) -> Self {
        let bytes: &'static [u8] = bytes.leak();
        let begin = move || {
            let run = run.clone();
            Box::new(move || drop(black_box(run(black_box(bytes))))) as Run
        };
        Self { work: Work::Bytes(bytes.len()), begin: Box::new(begin) }
    }

    /// Does something small many times a run.
    fn repeated<T, F: Fn() -> T + Clone + 'static>(once: F) -> Self {
        let begin = move || {
            let once = once.clone();
            Box::new(move || {
                for _ in 0..TIMES {
                    drop(black_box(once()));
                }
            }) as Run
        };
        Self { work: Work::Times(TIMES), begin: Box::new(begin) }
    }
}
