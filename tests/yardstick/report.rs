//! What is printed: a line for each case, what differs below it, and the differences that are meant at the end.

use std::time::Duration;

use support::difference::{Known, Mismatch, Seen};

use crate::cases::Case;

/// Longest part of a text that is shown.
const SHOWN: usize = 400;
/// Cases that are named one by one.
const NAMED_CASES: usize = 6;

/// Prints the head of the table.
pub(crate) fn head() {
    println!("{:<18} {:>8}  {:<10} {:>6}  what it looks at", "case", "requests", "result", "time");
}

/// Prints the line of a case that was compared.
pub(crate) fn compared(case: Case, took: Duration, seen: &[Seen]) {
    let unknown: usize = seen.iter().map(|seen| seen.unknown.len()).sum();
    let result = if unknown == 0 { "equal".to_owned() } else { format!("DIFFERS {unknown}") };
    line(case, &seen.len().to_string(), &result, took);
    for (index, seen) in seen.iter().enumerate() {
        for mismatch in &seen.unknown {
            shown(index + 1, mismatch);
        }
    }
}

/// Prints the line of a case that could not be compared.
pub(crate) fn not_compared(case: Case, took: Duration, result: &str, why: &str) {
    line(case, "-", result, took);
    for line in why.lines() {
        println!("    {line}");
    }
}

fn line(case: Case, requests: &str, result: &str, took: Duration) {
    println!("{:<18} {requests:>8}  {result:<10} {:>4.1} s  {}", case.name, took.as_secs_f32(), case.about);
}

fn shown(request: usize, mismatch: &Mismatch) {
    println!("    request {request}: {}", mismatch.path);
    let (expected, found) = (mismatch.expected.as_deref(), mismatch.found.as_deref());
    // Long lines differ somewhere in the middle.
    let alike = match (expected, found) {
        (Some(one), Some(other)) => one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count(),
        _ => 0,
    };
    let skipped = alike.saturating_sub(SHOWN / 4);
    for (side, text) in [("client", expected), ("proxy", found)] {
        println!("      {side:<7} {}", text.map_or_else(|| "(nothing)".to_owned(), |text| excerpt(text, skipped)));
    }
}

fn excerpt(text: &str, skipped: usize) -> String {
    let begin = if skipped > 0 { "…" } else { "" };
    let part: String = text.chars().skip(skipped).take(SHOWN).collect();
    let end = if text.chars().count() > skipped + SHOWN { "…" } else { "" };
    format!("{begin}{part}{end}").replace('\n', "\n              ")
}

/// Prints the table of the differences that are meant, with the cases that needed each.
pub(crate) fn footer(known: &[Known], needed: &[Vec<&str>], stale: &[usize]) {
    println!("\nDifferences that are meant:");
    for (row, known) in known.iter().enumerate() {
        let cases = match needed[row].as_slice() {
            [] if stale.contains(&row) => "STALE: no case needs it; take it out of differences.rs".to_owned(),
            [] => "not needed by the cases of this run".to_owned(),
            cases if cases.len() <= NAMED_CASES => format!("needed by {}", cases.join(", ")),
            cases => {
                let named = cases[..NAMED_CASES].join(", ");
                format!("needed by {named} and {} more", cases.len() - NAMED_CASES)
            }
        };
        println!("- {}: {}\n  {cases}", known.path, known.reason);
    }
}
