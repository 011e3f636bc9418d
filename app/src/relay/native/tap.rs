//! Reads along while an answer of Bedrock passes: what it counts, how it ends, and how the region is.

use std::io;
use std::time::Instant;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};

use crate::domain::Outcome;
use crate::meter::RequestMeter;
use crate::route::circuits::RegionTicket;
use crate::upstream::bedrock::frames::{FrameReader, Seen};
use crate::wire::json_sieve::Sieve;

/// What is read of a whole message.
const MEMBERS: &[&str] = &["id", "usage"];

/// The reader of one answer.
pub(super) struct Tap {
    reads: Reads,
    /// Bytes that are still to come, where that is known. The server stops asking when it has them.
    left: Option<u64>,
    /// To be told how the region is, by the beginning of the body.
    ticket: Option<RegionTicket>,
    /// How the answer ended, once it said so itself.
    ended: Option<Outcome>,
}

enum Reads {
    /// The frames of a stream.
    Frames { reader: FrameReader, begun: bool },
    /// A whole message, and the counts in its headers.
    Message { sieve: Sieve, in_headers: Option<String> },
    /// Nothing: it costs nothing, or it cannot be read.
    Nothing,
}

impl Tap {
    pub(super) fn of(response: &reqwest::Response, runs_a_model: bool, ticket: Option<RegionTicket>) -> Self {
        let map = response.headers();
        let is = |kind| text(map, CONTENT_TYPE.as_str()).starts_with(kind);
        let readable = runs_a_model
            && response.status().is_success()
            && matches!(text(map, CONTENT_ENCODING.as_str()), "" | "identity");
        let reads = if readable && is("application/vnd.amazon.eventstream") {
            Reads::Frames { reader: FrameReader::default(), begun: false }
        } else if readable && is("application/json") {
            Reads::Message { sieve: Sieve::new(MEMBERS), in_headers: counts_in(map) }
        } else {
            Reads::Nothing
        };
        let left = text(map, CONTENT_LENGTH.as_str()).parse().ok();
        let ended = (!response.status().is_success()).then_some(Outcome::Failed);
        Self { reads, left, ticket, ended }
    }

    /// The head is relayed. A body without bytes is never asked for.
    pub(super) fn begins(&mut self, meter: &mut RequestMeter) {
        if self.left == Some(0) {
            self.ended(meter);
        }
    }

    /// So much of the body passes.
    pub(super) fn sees(&mut self, chunk: &[u8], meter: &mut RequestMeter) {
        meter.saw_body();
        match &mut self.reads {
            Reads::Frames { reader, .. } => {
                reader.push(chunk);
                self.frames(meter);
            }
            Reads::Message { sieve, in_headers } => {
                if let Some(members) = sieve.see(chunk) {
                    meter.saw_usage(&members);
                    // Models of other makers count under other names; what Bedrock says of them is in the headers.
                    if let Some(counts) = in_headers.take().filter(|_| !meter.has_counts()) {
                        meter.saw_usage(counts.as_bytes());
                    }
                }
                self.reports(true);
            }
            Reads::Nothing => self.reports(true),
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(chunk.len() as u64);
            if *left == 0 {
                self.ended(meter);
            }
        }
    }

    /// The body has ended as HTTP wants it. An error says that the client's shall not, because it is not whole.
    pub(super) fn ended(&mut self, meter: &mut RequestMeter) -> Option<io::Error> {
        let cut_off = self.ended.is_none() && matches!(self.reads, Reads::Frames { .. });
        if cut_off {
            self.broke(meter);
            return Some(io::Error::new(io::ErrorKind::UnexpectedEof, "Bedrock's stream ended without its last event"));
        }
        self.reports(true);
        meter.ends(self.ended.unwrap_or(Outcome::Completed));
        None
    }

    /// The body has broken off.
    pub(super) fn broke(&mut self, meter: &mut RequestMeter) {
        self.reports(false);
        if let Reads::Message { in_headers, .. } = &mut self.reads
            && let Some(counts) = in_headers.take().filter(|_| !meter.has_counts())
        {
            meter.saw_usage(counts.as_bytes());
        }
        meter.ends(self.ended.unwrap_or(Outcome::Truncated));
    }

    fn frames(&mut self, meter: &mut RequestMeter) {
        while let Reads::Frames { reader, begun } = &mut self.reads
            && let Some(seen) = reader.take()
        {
            let first = !std::mem::replace(begun, true);
            match seen {
                Seen::Event { counts, characters, last } => {
                    meter.saw_text(characters);
                    if let Some(json) = counts {
                        meter.saw_usage(&json);
                    }
                    if last {
                        // Clients may leave as soon as they have this event.
                        self.ends(Outcome::Completed, meter);
                    }
                    self.reports(true);
                }
                Seen::Exception(status) => {
                    tracing::warn!(status, "Bedrock broke its answer off");
                    if first {
                        // In place of an answer, so nothing was counted.
                        meter.was_refused();
                    }
                    self.ends(Outcome::Failed, meter);
                    self.reports(!first || status < 500);
                }
                Seen::Damaged => {
                    tracing::warn!("a frame of Bedrock was damaged; what follows is not counted");
                    self.ends(Outcome::Failed, meter);
                    self.reports(true);
                }
                Seen::TooLarge => {
                    tracing::warn!("a frame of Bedrock is too large to be read; what follows is not counted");
                    self.reads = Reads::Nothing;
                    self.reports(true);
                }
            }
        }
    }

    /// The first word on how it ended counts.
    fn ends(&mut self, outcome: Outcome, meter: &mut RequestMeter) {
        meter.ends(*self.ended.get_or_insert(outcome));
    }

    /// Tells the breaker of the region, once.
    fn reports(&mut self, well: bool) {
        if let Some(ticket) = self.ticket.take() {
            let report = if well { RegionTicket::served } else { RegionTicket::failed };
            report(ticket, Instant::now());
        }
    }
}

fn text<'m>(map: &'m HeaderMap, name: &str) -> &'m str {
    map.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().trim()
}

/// The counts that Bedrock puts into the headers of whole answers, written as its metrics at the end of streams.
fn counts_in(map: &HeaderMap) -> Option<String> {
    let count = |name| text(map, name).parse::<u32>().ok();
    let input = count("x-amzn-bedrock-input-token-count")?;
    // Models that embed have no output.
    let output = count("x-amzn-bedrock-output-token-count").unwrap_or(0);
    let metrics = serde_json::json!({"inputTokenCount": input, "outputTokenCount": output});
    Some(serde_json::json!({"amazon-bedrock-invocationMetrics": metrics}).to_string())
}
