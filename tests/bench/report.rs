//! What a benchmark has to say, as Markdown that reads well on a terminal too.

use std::fmt::Write as _;

/// A table and the words around it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What it is about.
    pub(crate) title: String,
    /// What was done, in whole sentences.
    pub(crate) method: String,
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
        let words = format!("{} {machine}", self.method);
        let mut text = format!("# {}\n\n{}\n\n{}\n", self.title, wrapped(&words), self.table());
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

/// The same words in lines of a width that a terminal has.
fn wrapped(words: &str) -> String {
    const WIDTH: usize = 120;
    let (mut text, mut line) = (String::new(), 0);
    for word in words.split_whitespace() {
        let length = word.chars().count();
        if line > 0 && line + 1 + length > WIDTH {
            text.push('\n');
            line = 0;
        } else if line > 0 {
            text.push(' ');
            line += 1;
        }
        text.push_str(word);
        line += length;
    }
    text
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

    #[test]
    fn long_lines_are_broken_between_words() {
        let text = wrapped(&"word ".repeat(30));
        assert_eq!(text.lines().map(str::len).collect::<Vec<_>>(), [119, 29]);
        assert_eq!(wrapped(""), "");
    }
}
