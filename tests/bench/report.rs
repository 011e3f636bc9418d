//! What a benchmark has to say, as Markdown that reads well on a terminal too.

use std::fmt::Write as _;

/// A table and the words around it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What it is about.
    pub(crate) title: String,
    /// What was done, in whole sentences.
    pub(crate) method: Vec<String>,
    /// The names of the columns.
    pub(crate) head: Vec<&'static str>,
    /// As many cells as there are columns.
    pub(crate) rows: Vec<Vec<String>>,
    /// What has to be said below the table.
    pub(crate) notes: Vec<String>,
    /// What is not as it should be; fails the command.
    pub(crate) wrong: Vec<String>,
}

impl Report {
    /// The whole of it, with a line about where it was measured.
    pub(crate) fn to_markdown(&self, machine: &str) -> String {
        let mut text = format!("# {}\n\n", self.title);
        for line in &self.method {
            let _ = writeln!(text, "{line}");
        }
        let _ = writeln!(text, "{machine}\n\n{}", self.table());
        for note in self.notes.iter().cloned().chain(self.wrong.iter().map(|wrong| format!("**Wrong:** {wrong}"))) {
            let _ = writeln!(text, "- {note}");
        }
        text
    }

    fn table(&self) -> String {
        let head: Vec<String> = self.head.iter().map(|&name| name.to_owned()).collect();
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&head]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let line = |cells: &[String]| {
            let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
        };
        let rule: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
        [&head, &rule].into_iter().chain(&self.rows).map(|row| line(row)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_below_each_other() {
        let report = Report {
            title: "Speed".to_owned(),
            head: vec!["what", "ms"],
            rows: vec![vec!["a long name".to_owned(), "1".to_owned()], vec!["b".to_owned(), "12".to_owned()]],
            wrong: vec!["b is slow".to_owned()],
            ..Report::default()
        };
        let table = "| what        | ms |\n| ----------- | -- |\n| a long name | 1  |\n| b           | 12 |\n";
        assert_eq!(report.to_markdown("Here."), format!("# Speed\n\nHere.\n\n{table}\n- **Wrong:** b is slow\n"));
    }
}
