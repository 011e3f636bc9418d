//! When an event was made, written into its text.

use memchr::memmem;

/// What stands before the time. It is part of a JSON string that has nothing else like it.
const MARK: &[u8] = b"made@";
/// Digits of a time.
const DIGITS: usize = 20;

/// The text that says it.
pub(crate) fn write(nanoseconds: u64) -> String {
    format!("made@{nanoseconds:020}")
}

/// All times that stand whole in a piece of a stream. One that is split between two pieces is left out: there are others.
pub(crate) fn read(piece: &[u8]) -> impl Iterator<Item = u64> {
    memmem::find_iter(piece, MARK).filter_map(|at| {
        let digits = piece.get(at + MARK.len()..at + MARK.len() + DIGITS)?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_back_and_halves_are_left_out() {
        let text = format!("data: {{\"text\":\"{}\"}}\n\ndata: {} and {}", write(7), write(u64::MAX), &write(8)[..20]);
        assert_eq!(read(text.as_bytes()).collect::<Vec<_>>(), [7, u64::MAX]);
    }
}
