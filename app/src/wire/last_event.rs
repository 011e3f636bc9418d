//! Tells by the bytes of a stream of events whether its last event has come, split as they may be.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use crate::domain::Outcome;

/// What each form of [`LastEvent::STOP`] has in it. To make a search ready costs several times what the search does, so it
/// is made once, and hardly a piece needs more than this one.
static STOP_WORD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("message_stop"));
/// The same of [`LastEvent::ERROR`].
static ERROR_WORD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("error"));

/// Watches the bytes of one stream.
#[derive(Default, Debug)]
pub struct LastEvent {
    tail: Vec<u8>,
    stop: bool,
    error: bool,
}

impl LastEvent {
    /// What only an event itself can say: inside of a text quotes are escaped, and there are no line breaks.
    const STOP: [&[u8]; 3] = [b"\"type\":\"message_stop\"", b"\"type\": \"message_stop\"", b"\nevent: message_stop"];
    const ERROR: [&[u8]; 3] = [b"\"type\":\"error\"", b"\"type\": \"error\"", b"\nevent: error"];

    /// Takes in the next bytes.
    pub fn see(&mut self, chunk: &[u8]) {
        let overlap = Self::STOP[1].len() - 1;
        self.tail.extend_from_slice(&chunk[..chunk.len().min(overlap)]);
        for text in [&self.tail[..], chunk] {
            self.stop |= has_any(text, &STOP_WORD, &Self::STOP);
            self.error |= has_any(text, &ERROR_WORD, &Self::ERROR);
        }
        if chunk.len() >= overlap {
            self.tail.clear();
            self.tail.extend_from_slice(&chunk[chunk.len() - overlap..]);
        } else {
            self.tail.drain(..self.tail.len().saturating_sub(overlap));
        }
    }

    /// Whether the last event has come.
    pub fn is_over(&self) -> bool {
        self.stop
    }

    /// How a stream has ended whose bytes were these.
    pub fn outcome(&self) -> Outcome {
        match (self.stop, self.error) {
            (true, _) => Outcome::Completed,
            (false, true) => Outcome::Failed,
            (false, false) => Outcome::Truncated,
        }
    }
}

fn has_any(text: &[u8], word: &Finder<'_>, forms: &[&[u8]]) -> bool {
    word.find(text).is_some() && forms.iter().any(|form| memmem::find(text, form).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_event_is_seen_at_every_split() {
        let whole =
            b"event: content_block_stop\ndata: {}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
        for at in 0..whole.len() {
            let mut last = LastEvent::default();
            last.see(&whole[..at]);
            last.see(&whole[at..]);
            assert_eq!(last.outcome(), Outcome::Completed, "split at byte {at}");
        }
        let mut bytes = LastEvent::default();
        for byte in whole {
            bytes.see(&[*byte]);
        }
        assert_eq!(bytes.outcome(), Outcome::Completed);
    }

    #[test]
    fn other_ends_are_told_apart() {
        let outcome = |text: &[u8]| {
            let mut last = LastEvent::default();
            text.chunks(5).for_each(|chunk| last.see(chunk));
            last.outcome()
        };
        assert_eq!(outcome(b"event: error\ndata: {\"type\":\"error\"}\n\n"), Outcome::Failed);
        let about_events = br#"data: {"type":"content_block_delta","text":"event: message_stop \"type\":\"message_stop\" event: error"}"#;
        assert_eq!(outcome(about_events), Outcome::Truncated);
        assert_eq!(outcome(b"event: content_block_delta\ndata: {}\n\n"), Outcome::Truncated);
        assert_eq!(outcome(b""), Outcome::Truncated);
    }
}
