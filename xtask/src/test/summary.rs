//! The table at the end of a test run.

use std::fmt::{Display, Formatter};
use std::time::Duration;

use super::group::Group;
use crate::progress::readable;

/// How a group ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All is well.
    Passed,
    /// The filters have left no test of it.
    NoMatch,
    /// It could not run here, for this reason.
    Skipped(String),
    /// Something is wrong, namely this.
    Failed(String),
}

/// One line a group.
#[derive(Debug, Default)]
pub(super) struct Summary(Vec<(Group, Verdict, Duration)>);

impl Summary {
    /// Notes how a group ended and how long it took.
    pub(super) fn add(&mut self, group: Group, verdict: Verdict, duration: Duration) {
        self.0.push((group, verdict, duration));
    }

    /// Whether any group has failed.
    pub(super) fn failed(&self) -> bool {
        self.0.iter().any(|(_, verdict, _)| matches!(verdict, Verdict::Failed(_)))
    }

    /// Whether the filters have left no test of any group: most likely they are misspelt.
    pub(super) fn nothing_matched(&self) -> bool {
        let ran = |(group, verdict, _): &(Group, Verdict, Duration)| {
            group.takes_filters() && matches!(verdict, Verdict::Passed | Verdict::Failed(_))
        };
        self.0.iter().any(|(_, verdict, _)| *verdict == Verdict::NoMatch) && !self.0.iter().any(ran)
    }
}

impl Display for Summary {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(out, "{:<14} {:<8} duration", "group", "result")?;
        for (group, verdict, duration) in &self.0 {
            let name = group.name();
            let (result, reason) = match verdict {
                Verdict::Passed => ("passed", ""),
                Verdict::NoMatch => ("-", "no test matched"),
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
        summary.add(Group::Unit, Verdict::Passed, Duration::from_millis(40));
        summary.add(Group::Clients, Verdict::Skipped("npm is missing".to_owned()), Duration::ZERO);
        assert!(!summary.failed());
        summary.add(Group::It, Verdict::Failed("first line\nsecond line".to_owned()), Duration::from_secs(75));
        assert!(summary.failed());
        let table = summary.to_string();
        assert!(table.contains("unit           passed   0.0 s\n"), "{table}");
        assert!(table.contains("clients        skipped  0.0 s        npm is missing\n"), "{table}");
        assert!(table.contains("it             FAILED   1 min 15 s   first line\n"), "{table}");
    }

    #[test]
    fn a_filter_must_match_in_one_group() {
        let mut summary = Summary::default();
        summary.add(Group::Unit, Verdict::NoMatch, Duration::ZERO);
        // Has no names to filter, so that it passes says nothing.
        summary.add(Group::Secrets, Verdict::Passed, Duration::ZERO);
        assert!(summary.nothing_matched() && !summary.failed());
        assert!(summary.to_string().contains("unit           -        0.0 s        no test matched\n"));
        summary.add(Group::It, Verdict::Passed, Duration::ZERO);
        assert!(!summary.nothing_matched());
    }
}
