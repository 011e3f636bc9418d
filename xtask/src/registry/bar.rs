//! A bar that grows while something is sent, on a terminal; elsewhere nothing, so that logs stay readable.

use std::io::{IsTerminal, Read, Write, stderr};
use std::time::{Duration, Instant};

/// Often enough to look alive.
const REDRAW: Duration = Duration::from_millis(100);
const WIDTH: usize = 30;

/// The progress of one thing that is sent.
#[derive(Debug)]
pub(super) struct Bar {
    title: String,
    total: u64,
    drawn: Option<Instant>,
    visible: bool,
}

impl Bar {
    /// A bar for so many bytes.
    pub(super) fn new(title: &str, total: u64) -> Self {
        Self { title: title.to_owned(), total, drawn: None, visible: stderr().is_terminal() }
    }

    /// Shows how many bytes are sent.
    pub(super) fn show(&mut self, sent: u64) {
        let late = self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW);
        if self.visible && (late || sent == self.total) {
            self.drawn = Some(Instant::now());
            let _ = write!(stderr().lock(), "\r    {}", line(&self.title, sent, self.total));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = writeln!(stderr().lock());
        }
    }
}

/// Reads something and shows how far it has come.
#[derive(Debug)]
pub(super) struct Watched<R> {
    /// What is read.
    pub(super) inner: R,
    /// The bytes before it.
    pub(super) sent: u64,
    /// Where it is shown.
    pub(super) bar: Bar,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.sent += u64::try_from(read).unwrap_or_default();
        self.bar.show(self.sent);
        Ok(read)
    }
}

fn line(title: &str, sent: u64, total: u64) -> String {
    // Of nothing everything is sent.
    let share = |of: u64| (sent.min(total) * of).checked_div(total).unwrap_or(of);
    let full = usize::try_from(share(WIDTH as u64)).unwrap_or(WIDTH);
    format!("{title} [{:<WIDTH$}] {:>3} %", "#".repeat(full), share(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_what_it_shows() {
        assert_eq!(line("layer", 0, 10), format!("layer [{}]   0 %", " ".repeat(30)));
        assert_eq!(line("layer", 5, 10), format!("layer [{}{}]  50 %", "#".repeat(15), " ".repeat(15)));
        assert_eq!(line("layer", 0, 0), format!("layer [{}] 100 %", "#".repeat(30)));
    }
}
