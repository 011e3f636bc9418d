//! What was counted beside what is committed, and whether that is well.

use std::fmt::{Display, Formatter};

use anyhow::{Result, bail, ensure};

use super::baseline::{Baseline, Counted};

/// By how many hundredths a count may rise.
const TOLERATED: u64 = 5;
/// The same with another compiler than that of the baseline: its code differs a little everywhere, and that is nobody's
/// fault. What is slow by a mistake is slow by more.
const TOLERATED_OF_ANOTHER_COMPILER: u64 = 20;
/// The remedy.
const UPDATE: &str = "`cargo xtask bench --only instructions --update` makes the counts of this build the baseline";

/// What is told where nothing is committed to compare with.
pub(super) fn no_baseline(architecture: &str) -> String {
    format!("there is no baseline for {architecture}; {UPDATE}")
}

/// The comparison.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    rows: Vec<Row>,
    rustc: String,
    /// The compiler of the baseline, if there is one.
    baseline: Option<String>,
    /// Cases of the baseline that there are no more.
    gone: Vec<String>,
}

#[derive(Clone, Debug)]
struct Row {
    case: String,
    instructions: u64,
    each: String,
    baseline: Option<u64>,
}

impl Comparison {
    /// Puts them beside each other.
    pub(super) fn of(counted: &Counted, baseline: Option<Baseline>) -> Self {
        let known = |case: &str| baseline.as_ref().and_then(|baseline| baseline.instructions.get(case).copied());
        let rows: Vec<Row> = counted
            .counts
            .iter()
            .map(|of| Row {
                case: of.case.clone(),
                instructions: of.instructions,
                each: format!("{} a {}", short(of.instructions, of.amount), of.unit),
                baseline: known(&of.case),
            })
            .collect();
        let is_gone = |case: &&String| rows.iter().all(|row| row.case != **case);
        let gone = baseline.iter().flat_map(|baseline| baseline.instructions.keys()).filter(is_gone).cloned().collect();
        Self { rows, rustc: counted.rustc.clone(), baseline: baseline.map(|baseline| baseline.rustc), gone }
    }

    /// Fails where anything has risen by more than it may, and where the baseline is about other cases.
    pub(super) fn verdict(&self, architecture: &str) -> Result<()> {
        let Some(rustc) = &self.baseline else {
            bail!(no_baseline(architecture));
        };
        let tolerated = self.tolerated();
        let risen = self.rows.iter().filter(|row| row.has_risen_by_more_than(tolerated));
        let new = self.rows.iter().filter(|row| row.baseline.is_none());
        let wrong: Vec<String> = risen
            .map(|row| format!("{} takes {:+.1} % instructions", row.case, row.difference().unwrap_or_default()))
            .chain(new.map(|row| format!("{} is not in the baseline", row.case)))
            .chain(self.gone.iter().map(|case| format!("{case} is in the baseline and not measured any more")))
            .collect();
        ensure!(
            wrong.is_empty(),
            "more than {tolerated} % above the baseline of {rustc}, or other cases than it has:\n  {}\nIf that is meant, \
             {UPDATE}",
            wrong.join("\n  ")
        );
        Ok(())
    }

    fn tolerated(&self) -> u64 {
        let same = self.baseline.as_ref().is_none_or(|baseline| *baseline == self.rustc);
        if same { TOLERATED } else { TOLERATED_OF_ANOTHER_COMPILER }
    }
}

impl Row {
    fn has_risen_by_more_than(&self, hundredths: u64) -> bool {
        let limit = |baseline: u64| baseline.saturating_mul(100 + hundredths);
        self.baseline.is_some_and(|baseline| self.instructions.saturating_mul(100) > limit(baseline))
    }

    /// By how many hundredths it has risen.
    fn difference(&self) -> Option<f64> {
        self.baseline.map(|baseline| (quotient(self.instructions, baseline) - 1.0) * 100.0)
    }
}

/// Two or three figures that count.
fn short(instructions: u64, amount: u64) -> String {
    let each = quotient(instructions, amount);
    if each < 100.0 { format!("{each:.2}") } else { format!("{each:.0}") }
}

fn quotient(of: u64, by: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "for people, and counts are far below 2^52")]
    let quotient = of as f64 / by.max(1) as f64;
    quotient
}

impl Display for Comparison {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(
            out,
            "| {:<30} | {:>12} | {:>16} | {:>12} | {:>10} |",
            "case", "instructions", "each", "baseline", "difference"
        )?;
        writeln!(out, "|{:-<32}|{:->13}:|{:->17}:|{:->13}:|{:->11}:|", "", "", "", "", "")?;
        for row in &self.rows {
            let baseline = row.baseline.map_or_else(|| "none".to_owned(), |count| count.to_string());
            let difference = row.difference().map_or_else(String::new, |by| format!("{by:+.2} %"));
            let Row { case, instructions, each, .. } = row;
            writeln!(out, "| {case:<30} | {instructions:>12} | {each:>16} | {baseline:>12} | {difference:>10} |")?;
        }
        let rustc = &self.rustc;
        match &self.baseline {
            None => writeln!(out, "\nCounted with {rustc}; there is no baseline."),
            Some(baseline) if baseline == rustc => writeln!(out, "\nCounted with {rustc}, like the baseline."),
            Some(baseline) => writeln!(
                out,
                "\nCounted with {rustc}, the baseline with {baseline}: up to {TOLERATED_OF_ANOTHER_COMPILER} % are the compiler's."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::baseline::Count;
    use super::*;

    fn compared(counts: &[(&str, u64)], rustc: &str) -> Comparison {
        let count = |(case, instructions): &(&str, u64)| Count {
            case: (*case).to_owned(),
            amount: 100,
            unit: "time".to_owned(),
            instructions: *instructions,
        };
        let counted = Counted { rustc: rustc.to_owned(), counts: counts.iter().map(count).collect() };
        let instructions = [("one".to_owned(), 1000), ("two".to_owned(), 2000)].into();
        Comparison::of(&counted, Some(Baseline { rustc: "rustc 1.95.0".to_owned(), instructions }))
    }

    fn fails(counts: &[(&str, u64)], rustc: &str) -> Option<String> {
        compared(counts, rustc).verdict("x86_64").err().map(|error| error.to_string())
    }

    #[test]
    fn a_rise_of_more_than_a_twentieth_fails_and_a_fall_does_not() {
        assert_eq!(fails(&[("one", 1050), ("two", 1)], "rustc 1.95.0"), None);
        let told = fails(&[("one", 1051), ("two", 2000)], "rustc 1.95.0").unwrap_or_default();
        assert!(told.contains("one takes +5.1 %") && !told.contains("two") && told.contains("--update"), "{told}");
    }

    #[test]
    fn another_compiler_may_cost_more_but_not_anything() {
        assert_eq!(fails(&[("one", 1190), ("two", 2000)], "rustc 1.96.0"), None);
        assert!(fails(&[("one", 1210), ("two", 2000)], "rustc 1.96.0").is_some());
        assert!(compared(&[("one", 1)], "rustc 1.96.0").to_string().contains("the baseline with rustc 1.95.0"));
    }

    #[test]
    fn the_baseline_is_about_the_same_cases() {
        let told = fails(&[("one", 1000), ("three", 1)], "rustc 1.95.0").unwrap_or_default();
        assert!(told.contains("three is not in the baseline") && told.contains("two is in the baseline"), "{told}");
        let counted = Counted { rustc: String::new(), counts: Vec::new() };
        let told = Comparison::of(&counted, None).verdict("riscv64").err().map(|error| error.to_string());
        assert!(told.is_some_and(|told| told.contains("no baseline for riscv64") && told.contains("--update")));
    }

    #[test]
    fn the_table_says_what_a_byte_or_a_time_costs() {
        let table = compared(&[("one", 1100), ("two", 1900)], "rustc 1.95.0").to_string();
        let row = "| one                            |         1100 |     11.00 a time |         1000 |   +10.00 % |";
        assert!(table.contains(row), "{table}");
        assert!(table.contains("   -5.00 % |"), "{table}");
    }
}
