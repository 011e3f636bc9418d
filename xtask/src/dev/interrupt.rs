//! Ctrl-C and SIGTERM as a question that the verb asks between its steps.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};

use crate::command::run_until;

/// How often we have been asked to end.
pub(crate) struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// From here on a signal to end is only counted.
    pub(crate) fn listen() -> Result<Self> {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        ctrlc::set_handler(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        })
        .context("cannot listen for Ctrl-C")?;
        Ok(Self(count))
    }

    /// Whether we have been asked to end.
    pub(crate) fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// Whether we have been asked more than once, by someone in a hurry.
    pub(crate) fn impatient(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 1
    }

    /// Fails when we have been asked to end: for the moment between two steps.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(!self.requested(), "interrupted");
        Ok(())
    }

    /// Runs a command in the foreground, and ends it early when we are asked to end; `doing` completes "cannot ...".
    pub(crate) fn run(&self, command: &mut Command, doing: &str) -> Result<()> {
        let outcome = run_until(command, doing, || self.requested());
        ensure!(!self.requested(), "cannot {doing}: interrupted");
        outcome
    }
}
