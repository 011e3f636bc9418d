//! Numbers that are written into texts and found again on the other side: when an event was made, how long an answer shall be.

use memchr::memmem;

/// Digits of a number.
const DIGITS: usize = 20;

/// What stands before a number. It is part of a JSON string that has nothing else like it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(&'static str);

/// When an event was made, in nanoseconds.
pub(crate) const MADE: Mark = Mark("made@");
/// When the request had arrived that an answer begins for.
pub(crate) const ASKED: Mark = Mark("asked@");
/// How many events with text an answer shall have; in a request.
pub(crate) const LENGTH: Mark = Mark("length@");

impl Mark {
    /// The text that says it.
    pub(crate) fn write(self, number: u64) -> String {
        format!("{}{number:020}", self.0)
    }

    /// All numbers that stand whole in a piece. One that is split between two pieces is left out: there are others.
    pub(crate) fn read(self, piece: &[u8]) -> impl Iterator<Item = u64> {
        memmem::find_iter(piece, self.0).filter_map(move |at| {
            let digits = piece.get(at + self.0.len()..at + self.0.len() + DIGITS)?;
            std::str::from_utf8(digits).ok()?.parse().ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back_and_halves_are_left_out() {
        let half = &MADE.write(8)[..20];
        let text = format!("data: {}\n\ndata: {} {} and {half}", MADE.write(7), ASKED.write(3), MADE.write(u64::MAX));
        assert_eq!(MADE.read(text.as_bytes()).collect::<Vec<_>>(), [7, u64::MAX]);
        assert_eq!(ASKED.read(text.as_bytes()).collect::<Vec<_>>(), [3]);
    }
}
