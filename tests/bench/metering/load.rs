//! Requests from a fixed schedule, whatever becomes of those before them.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures_util::StreamExt as _;
use support::Answer;
use tokio::runtime::Handle;

/// Bytes of a prompt.
pub(super) const BODY: usize = 16 << 10;
/// Pieces of text in an answer.
const DELTAS: usize = 60;
/// Events of an answer: with its begin, its end and those of its only block.
pub(super) const EVENTS: usize = DELTAS + 5;
/// Requests that are sent and not counted: connections are opened, keys are read from the database.
const WARM_UP: Duration = Duration::from_secs(1);
/// A request that takes longer has failed.
const LONGEST: Duration = Duration::from_secs(30);

/// How the last event ends, and with it each answer.
const LAST_EVENT: &[u8] = b"\"type\":\"message_stop\"}\n\n";

/// How much is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Requests that begin in a second.
    pub(super) rate: u32,
    /// How long they are counted.
    pub(super) lasts: Duration,
}

/// How long one request took, from the moment at which it should have begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Took {
    /// Until something of the answer's body had come.
    pub(super) first_byte: Duration,
    /// Until all of it had.
    pub(super) whole: Duration,
}

/// The answer that both providers give.
pub(super) fn answer() -> Answer {
    Answer::deltas((0..DELTAS).map(|n| format!("piece {n} of a text that a model might write, ")))
}

impl Load {
    /// How many requests that are in all, and how many of the first are not counted.
    pub(super) fn requests(self) -> (u32, u32) {
        let of = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX).saturating_mul(self.rate);
        (of(WARM_UP + self.lasts), of(WARM_UP))
    }

    /// Sends them, to one of the addresses after the other, and waits for the last answer.
    pub(super) async fn run(self, http: &reqwest::Client, addresses: &[String]) -> Result<Vec<Took>> {
        let (requests, not_counted) = self.requests();
        let body = Bytes::from(body());
        let (http, addresses) = (http.clone(), addresses.to_vec());
        let runtime = Handle::current();
        // A thread of its own, because the runtime's clock has steps of a millisecond and waits for its other work.
        let pace = move || {
            let begin = Instant::now();
            let running = (0..requests).zip(addresses.iter().cycle()).map(|(number, address)| {
                let due = begin + Duration::from_secs(1) * number / self.rate;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let request = http.post(format!("{address}/v1/messages?beta=true"));
                runtime.spawn(ask(request, body.clone(), due))
            });
            running.collect::<Vec<_>>()
        };
        let mut took = Vec::new();
        for running in tokio::task::spawn_blocking(pace).await? {
            took.push(running.await??);
        }
        Ok(took.split_off(usize::try_from(not_counted)?))
    }
}

async fn ask(request: reqwest::RequestBuilder, body: Bytes, due: Instant) -> Result<Took> {
    let request = request.bearer_auth("sk-ant-oat01-bench").header("anthropic-version", "2023-06-01");
    let response = request.header("content-type", "application/json").timeout(LONGEST).body(body).send().await?;
    ensure!(response.status().is_success(), "the proxy answers {}", response.status());
    let mut pieces = response.bytes_stream();
    let (mut first_byte, mut length, mut end) = (None, 0, Vec::new());
    while let Some(piece) = pieces.next().await {
        first_byte.get_or_insert_with(|| due.elapsed());
        let piece = piece?;
        length += piece.len();
        // The last event may come in two pieces.
        end.extend_from_slice(&piece);
        end.drain(..end.len().saturating_sub(LAST_EVENT.len()));
    }
    let whole = due.elapsed();
    ensure!(
        end == LAST_EVENT,
        "an answer of {length} bytes ended without its last event: {:?}",
        String::from_utf8_lossy(&end)
    );
    Ok(Took { first_byte: first_byte.unwrap_or(whole), whole })
}

fn body() -> String {
    let text = "fn main() { println!(\"what a developer might send\"); }\n".repeat(BODY / 56);
    serde_json::json!({
        "model": "claude-opus-5-5",
        "max_tokens": 4096,
        "stream": true,
        "messages": [{ "role": "user", "content": text }],
    })
    .to_string()
}
