//! Lines for the person in front of the terminal, always on standard error.
//!
//! A write that fails is ignored: a closed terminal must not stop a verb halfway through its clean-up.

use std::fmt::Display;
use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

/// Announces the next step of a verb.
pub fn step(text: impl Display) {
    write("==>", "1;32", &text);
}

/// Says something that the person should not miss, such as a change to the machine.
pub fn loud(text: impl Display) {
    write("!!!", "1;33", &text);
}

/// Shows a longer text as it is.
pub fn show(text: impl Display) {
    let _ = writeln!(stderr().lock(), "\n{text}");
}

/// Says why a verb failed, with every cause in its chain.
pub fn failure(error: &anyhow::Error) {
    write("error:", "1;31", &format_args!("{error:#}"));
}

/// A duration as people say it: `0.4 s`, `12 s`, `3 min 05 s`.
pub fn readable(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1} s", duration.as_secs_f32()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

fn write(mark: &str, colour: &str, text: &dyn Display) {
    let mut out = stderr().lock();
    let _ = if out.is_terminal() {
        writeln!(out, "\x1b[{colour}m{mark}\x1b[0m {text}")
    } else {
        writeln!(out, "{mark} {text}")
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_naturally() {
        assert_eq!(readable(Duration::from_millis(420)), "0.4 s");
        assert_eq!(readable(Duration::from_secs(12)), "12 s");
        assert_eq!(readable(Duration::from_secs(185)), "3 min 05 s");
    }
}
