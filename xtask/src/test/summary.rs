//! The table at the end of a test run.

use std::fmt::{Display, Formatter};
use std::time::Duration;

use crate::progress::readable;

/// How a group ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All is well.
    Passed,
    /// It could not run here, for this reason.
    Skipped(String),
    /// Something is wrong, namely this.
    Failed(String),
}

/// One line a group.
#[derive(Debug, Default)]
pub(super) struct Summary(Vec<(&'static str, Verdict, Duration)>);

impl Summary {
    /// Notes how a group ended and how long it took.
    pub(super) fn add(&mut self, group: &'static str, verdict: Verdict, duration: Duration) {
        self.0.push((group, verdict, duration));
    }

    /// Whether any group has failed.
    pub(super) fn failed(&self) -> bool {
        self.0.iter().any(|(_, verdict, _)| matches!(verdict, Verdict::Failed(_)))
    }
}

impl Display for Summary {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(out, "{:<14} {:<8} duration", "group", "result")?;
        for (name, verdict, duration) in &self.0 {
            let (result, reason) = match verdict {
                Verdict::Passed => ("passed", ""),
                Verdict::Skipped(reason) => ("skipped", reason.as_str()),
                Verdict::Failed(reason) => ("FAILED", reason.as_str()),
            };
            // The whole of a long reason has been shown when it happened.
            let reason = reason.lines().next().unwrap_or_default();
            let line = format!("{name:<14} {result:<8} {:<12} {reason}", readable(*duration));
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_has_its_line() {
        let mut summary = Summary::default();
        summary.add("one", Verdict::Passed, Duration::from_millis(40));
        summary.add("two", Verdict::Skipped("npm is missing".to_owned()), Duration::ZERO);
        assert!(!summary.failed());
        summary.add("three", Verdict::Failed("first line\nsecond line".to_owned()), Duration::from_secs(75));
        assert!(summary.failed());
        let table = summary.to_string();
        assert!(table.contains("one            passed   0.0 s\n"), "{table}");
        assert!(table.contains("two            skipped  0.0 s        npm is missing\n"), "{table}");
        assert!(table.contains("three          FAILED   1 min 15 s   first line\n"), "{table}");
    }
}
