//! What a developer at work sends: how often, how large, and how long the answers are.
//!
//! Measured with Claude Code 2.1: a session begins with 49 to 57 KB, and with 87 KB where a model takes all tools at once;
//! a subagent begins with 22 to 29 KB; calls beside the conversation have about 1 KB; `/context` counts the tokens of 25
//! parts of 2 KB at once; bodies are neither chunked nor compressed. A window of 200,000 tokens is some 0.8 to 1 MB of
//! JSON. Everything else is assumed: a client that is almost always in the middle of something, three requests of the
//! conversation and 1.2 of subagents a minute, each answered with twenty events a second for 5 to 20 seconds.

/// A kind of request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// Times a minute, for each developer.
    pub(super) a_minute: f64,
    /// Requests at a time.
    pub(super) at_once: u32,
    /// Sizes of bodies in bytes, with how many of a hundred have each.
    pub(super) bodies: &'static [(u32, usize)],
    /// What is asked for.
    pub(super) asks: Asks,
}

/// What a request asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asks {
    /// A stream.
    Stream,
    /// A message in one piece.
    Message,
    /// How many tokens something has.
    Count,
}

/// Everything that a client sends.
pub(super) const KINDS: [Kind; 4] = [
    // The conversation: a request after each tool, each with all that was said before.
    Kind {
        a_minute: 3.0,
        at_once: 1,
        bodies: &[(30, 60_000), (30, 150_000), (25, 400_000), (15, 1_000_000)],
        asks: Asks::Stream,
    },
    // Subagents, whose conversations are short.
    Kind { a_minute: 1.2, at_once: 1, bodies: &[(50, 25_000), (50, 100_000)], asks: Asks::Stream },
    // Calls beside the conversation, of the web search for example.
    Kind { a_minute: 0.6, at_once: 1, bodies: &[(100, 1_000)], asks: Asks::Message },
    // `/context`, once in fifty minutes.
    Kind { a_minute: 0.02, at_once: 25, bodies: &[(100, 2_000)], asks: Asks::Count },
];

/// The shortest and the longest stream, in seconds.
pub(super) const SECONDS: [f64; 2] = [5.0, 20.0];
/// Events of a stream in a second.
pub(super) const EVENTS_A_SECOND: f64 = 20.0;
/// Before the first event, in seconds: the least that a model takes.
pub(super) const FIRST_AFTER: f64 = 1.5;

/// Requests of a developer in a minute.
pub(super) fn requests_a_minute() -> f64 {
    KINDS.iter().map(|kind| kind.a_minute * f64::from(kind.at_once)).sum()
}

/// Streams that a developer has open on average.
pub(super) fn open_streams() -> f64 {
    let begun: f64 = KINDS.iter().filter(|kind| kind.asks == Asks::Stream).map(|kind| kind.a_minute).sum();
    begun / 60.0 * (FIRST_AFTER + f64::midpoint(SECONDS[0], SECONDS[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_sizes_are_hundredths_of_all() {
        for kind in KINDS {
            assert_eq!(kind.bodies.iter().map(|(share, _)| share).sum::<u32>(), 100, "{kind:?}");
        }
    }

    #[test]
    fn a_developer_has_about_one_stream() {
        assert!((open_streams() - 0.98).abs() < 1e-9, "{}", open_streams());
        assert!((requests_a_minute() - 5.3).abs() < 1e-9, "{}", requests_a_minute());
    }
}
