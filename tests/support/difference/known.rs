//! Differences that are known and meant: a table of them, and which of its rows were needed.

use super::Mismatch;

/// A difference that is as it should be. `*` stands for any text in all fields but the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// In which cases.
    pub cases: &'static [&'static str],
    /// At which paths.
    pub path: &'static str,
    /// What is expected there; nothing where it is not expected at all.
    pub expected: Option<&'static str>,
    /// What is found there instead.
    pub found: Option<&'static str>,
    /// Why that is right.
    pub reason: &'static str,
}

/// A table of known differences, and where each of its rows has been needed.
#[derive(Debug)]
pub struct Knowledge {
    table: &'static [Known],
    needed: Vec<bool>,
}

/// The mismatches of a case, sorted by the table.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The rows of the table that were needed, each once.
    pub known: Vec<usize>,
    /// What the table does not have.
    pub unknown: Vec<Mismatch>,
}

impl Known {
    fn is_about(&self, case: &str) -> bool {
        self.cases.iter().any(|pattern| matches(pattern, case))
    }

    fn covers(&self, case: &str, mismatch: &Mismatch) -> bool {
        let side = |pattern: Option<&str>, text: Option<&String>| match (pattern, text) {
            (Some(pattern), Some(text)) => matches(pattern, text),
            (None, None) => true,
            _ => false,
        };
        self.is_about(case)
            && matches(self.path, &mismatch.path)
            && side(self.expected, mismatch.expected.as_ref())
            && side(self.found, mismatch.found.as_ref())
    }
}

impl Knowledge {
    /// Begins with nothing needed.
    pub fn new(table: &'static [Known]) -> Self {
        Self { table, needed: vec![false; table.len()] }
    }

    /// Sorts the mismatches of a case.
    pub fn sort(&mut self, case: &str, mismatches: Vec<Mismatch>) -> Seen {
        let mut seen = Seen::default();
        for mismatch in mismatches {
            match self.table.iter().position(|known| known.covers(case, &mismatch)) {
                Some(row) => {
                    self.needed[row] = true;
                    if !seen.known.contains(&row) {
                        seen.known.push(row);
                    }
                }
                None => seen.unknown.push(mismatch),
            }
        }
        seen.known.sort_unstable();
        seen
    }

    /// The rows that nothing needed although every one of `all` cases that they are about is among those that `ran`.
    pub fn stale(&self, all: &[&str], ran: &[&str]) -> Vec<usize> {
        let judged = |known: &Known| all.iter().all(|case| ran.contains(case) || !known.is_about(case));
        let rows = self.table.iter().zip(&self.needed).enumerate();
        rows.filter(|(_, (known, needed))| !**needed && judged(known)).map(|(row, _)| row).collect()
    }
}

/// Whether a text is of the pattern's form; `*` stands for any text.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(begin) else { return false };
    let mut ends = text.char_indices().map(|(index, _)| index).chain([text.len()]);
    ends.any(|index| matches(rest, &text[index..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Known] = &[
        Known { cases: &["*"], path: "system[0]", expected: Some("header *"), found: None, reason: "reserved" },
        Known { cases: &["old-*"], path: "tools[*]", expected: None, found: Some("*"), reason: "offers more" },
    ];

    fn mismatch(path: &str, expected: Option<&str>, found: Option<&str>) -> Mismatch {
        Mismatch { path: path.to_owned(), expected: expected.map(str::to_owned), found: found.map(str::to_owned) }
    }

    #[test]
    fn patterns_have_gaps() {
        assert!(matches("*", "") && matches("a*", "abc") && matches("*c", "abc") && matches("a*b*c", "a-b-b-c"));
        assert!(matches("[*].x", "[1].x") && matches("é*", "éé") && matches("same", "same"));
        assert!(!matches("a*", "ba") && !matches("a*c", "ab") && !matches("same", "same ") && !matches("", "a"));
    }

    #[test]
    fn only_what_the_table_says_in_full_is_known() {
        let mut knowledge = Knowledge::new(TABLE);
        let known = mismatch("system[0]", Some("header 1"), None);
        let unknown = [
            mismatch("system[1]", Some("header 1"), None),
            mismatch("system[0]", Some("header 1"), Some("header 2")),
            mismatch("system[0]", Some("another"), None),
            mismatch("tools[Web]", None, Some("{}")),
        ];
        let seen = knowledge.sort("plain", [vec![known.clone(), known], unknown.to_vec()].concat());
        assert_eq!(seen, Seen { known: vec![0], unknown: unknown.to_vec() });
    }

    #[test]
    fn a_row_is_stale_once_all_its_cases_ran_without_it() {
        let mut knowledge = Knowledge::new(TABLE);
        let all = ["plain", "old-plain", "old-tool"];
        assert_eq!(knowledge.stale(&all, &["plain", "old-plain"]), [0; 0]);
        assert_eq!(knowledge.stale(&all, &["old-plain", "old-tool"]), [1]);
        assert_eq!(knowledge.stale(&all, &all), [0, 1]);
        knowledge.sort("old-tool", vec![mismatch("tools[Web]", None, Some("{}"))]);
        assert_eq!(knowledge.stale(&all, &all), [0]);
    }
}
