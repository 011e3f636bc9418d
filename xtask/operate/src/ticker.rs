//! Progress on the terminal: lines that stay, and below them one that says what is waited for.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use xtask::progress::readable;

/// Where nobody looks at a terminal, a line that says that it goes on is written this often.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);
/// Longer lines would break on most terminals.
const WIDTH: usize = 110;

/// Progress of one thing.
#[derive(Debug)]
pub(crate) struct Ticker {
    started: Instant,
    terminal: bool,
    last: Instant,
}

impl Ticker {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), terminal: stderr().is_terminal(), last: Instant::now() }
    }

    /// How long it has taken so far.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// A line that stays.
    pub(crate) fn line(&mut self, text: &str) {
        self.clear();
        let _ = writeln!(stderr().lock(), "{:>12}  {text}", readable(self.elapsed()));
        self.last = Instant::now();
    }

    /// What is waited for at the moment; on a terminal in a line that is written over.
    pub(crate) fn waiting(&mut self, text: &str) {
        let text: String = text.chars().take(WIDTH).collect();
        if self.terminal {
            let _ = write!(stderr().lock(), "\r\x1b[2K{:>12}  {text}", readable(self.elapsed()));
        } else if self.last.elapsed() >= SIGN_OF_LIFE {
            self.line(&text);
        }
    }

    fn clear(&self) {
        if self.terminal {
            let _ = write!(stderr().lock(), "\r\x1b[2K");
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.clear();
    }
}
