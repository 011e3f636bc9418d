//! Whether something grew: medians of thirds, for single values jump with every large body.

use super::Run;
use super::watch::Sample;
use crate::statistics::{median, range};

const MIB: f64 = 1024.0 * 1024.0;

/// What stays open of what is not open at the start: the file that the journal writes to.
pub(super) const STAYS_OPEN: usize = 1;

/// Something that is watched.
struct Watched {
    name: &'static str,
    of: fn(&Sample) -> f64,
    /// By how much the last third may be above the first; none where something else bounds it.
    may_rise: Option<f64>,
}

const WATCHED: [Watched; 4] = [
    Watched { name: "memory, MiB", of: |sample| bytes(sample.resident) / MIB, may_rise: Some(8.0) },
    Watched { name: "descriptors", of: |sample| number(sample.descriptors), may_rise: Some(24.0) },
    Watched { name: "connections to the database", of: |sample| number(sample.database), may_rise: None },
    Watched { name: "threads", of: |sample| bytes(sample.threads), may_rise: Some(1.0) },
];

/// The medians of the first and of the last third of what is left when the first quarter is left out.
fn thirds(values: &[f64]) -> (f64, f64) {
    let warm = &values[values.len() / 4..];
    let third = warm.len() / 3;
    (median(&warm[..third]), median(&warm[warm.len() - third..]))
}

/// What is not as it should be.
pub(super) fn judged(samples: &[Sample], before: &Sample, after: &Sample, database: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    for Watched { name, of, may_rise } in WATCHED {
        let (first, last) = thirds(&samples.iter().map(of).collect::<Vec<_>>());
        if let Some(may_rise) = may_rise.filter(|may_rise| last - first > *may_rise) {
            wrong.push(format!("{name}: from {first:.1} to {last:.1}, by more than {may_rise}"));
        }
    }
    if after.descriptors > before.descriptors + STAYS_OPEN {
        let (before, after) = (before.descriptors, after.descriptors);
        wrong.push(format!(
            "{after} descriptors are open when nobody is connected any more; {before} were before, \
             and the journal has a file"
        ));
    }
    if after.database > database {
        wrong.push(format!("{} connections to the database, of at most {database}", after.database));
    }
    wrong
}

/// The lines of the table.
pub(super) fn rows(run: &Run) -> Vec<Vec<String>> {
    let row = |name: &str, what: &str, value: String| vec![name.to_owned(), what.to_owned(), value];
    let mut rows = Vec::new();
    for Watched { name, of, may_rise } in WATCHED {
        let values: Vec<f64> = run.samples.iter().map(of).collect();
        let (first, last) = thirds(&values);
        rows.push(row(name, "at the start", format!("{:.0}", of(&run.before))));
        rows.push(row("", "first third", format!("{first:.1}")));
        rows.push(row("", "last third", format!("{last:.1}")));
        let bound = may_rise.map(|may_rise| format!(" (at most {may_rise:+.0})")).unwrap_or_default();
        rows.push(row("", "rise", format!("{:+.1}{bound}", last - first)));
        rows.push(row("", "peak", format!("{:.0}", range(&values).1)));
        rows.push(row("", "when nobody is connected any more", format!("{:.0}", of(&run.after))));
    }
    rows
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than that")]
fn number(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than that")]
fn bytes(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn sample(second: u64, leaked: u64) -> Sample {
        // A large body every seventh second is no leak.
        let body = if second.is_multiple_of(7) { 30 << 20 } else { 0 };
        let resident = (60 << 20) + body + leaked;
        Sample { at: Instant::now(), resident, threads: 4, descriptors: 20, database: 5, ended: second }
    }

    #[test]
    fn what_jumps_is_flat_and_what_creeps_is_not() {
        let run = |leak: u64| (0..120).map(|second| sample(second, leak * second)).collect::<Vec<_>>();
        let still = sample(1, 0);
        assert_eq!(judged(&run(0), &still, &still, 11), [] as [String; 0]);
        let wrong = judged(&run(200 << 10), &still, &still, 11);
        assert!(wrong.len() == 1 && wrong[0].starts_with("memory, MiB: from "), "{wrong:?}");
    }

    #[test]
    fn what_stays_open_is_told() {
        let (before, samples) = (sample(1, 0), [sample(2, 0); 8]);
        let after = Sample { descriptors: 22, database: 12, ..before };
        assert_eq!(judged(&samples, &before, &after, 11).len(), 2);
        let growing: Vec<_> = (0..40)
            .map(|second| Sample { threads: second, descriptors: 50 * usize::try_from(second).unwrap_or(0), ..before })
            .collect();
        assert_eq!(judged(&growing, &before, &before, 11).len(), 2);
    }
}
