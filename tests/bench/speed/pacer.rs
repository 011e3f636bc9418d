//! Sends an event to each of many streams twenty times a second, spread evenly over time.
//!
//! A thread of its own keeps the time, because the clock of an asynchronous runtime has steps of a millisecond, and it
//! says in each event when it was made. A stream that is not read holds up nobody: its events pile up, and are then late.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use support::{ServerEvent, frames};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::clock;
use super::stamp::MADE;

/// Parts of the period, each with streams of its own.
const SLOTS: usize = 50;
/// Time between two parts; all of them together are the twentieth of a second.
const STEP: Duration = Duration::from_millis(1);

/// How a provider writes an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    /// As the plan does.
    Plan,
    /// As Bedrock does.
    Bedrock,
}

/// The streams of a part of the period, by their format.
type Slot = [Vec<UnboundedSender<Bytes>>; 2];

/// The streams that are sent to.
#[derive(Clone)]
pub(super) struct Pacer {
    slots: Arc<Mutex<(usize, Vec<Slot>)>>,
}

impl Pacer {
    /// Begins to keep the time, for as long as the process lives.
    pub(super) fn start() -> Self {
        let slots = Arc::new(Mutex::new((0, vec![Slot::default(); SLOTS])));
        let kept = Arc::clone(&slots);
        thread::spawn(move || {
            let begin = Instant::now();
            for (turn, slot) in (1..).zip((0..SLOTS).cycle()) {
                thread::sleep((begin + STEP * turn).saturating_duration_since(Instant::now()));
                let mut slots = kept.lock().unwrap_or_else(PoisonError::into_inner);
                for (format, streams) in [Format::Plan, Format::Bedrock].into_iter().zip(&mut slots.1[slot]) {
                    if !streams.is_empty() {
                        let event = event("", format);
                        streams.retain(|stream| stream.send(event.clone()).is_ok());
                    }
                }
            }
        });
        Self { slots }
    }

    /// The events of one more stream, until it is dropped.
    pub(super) fn stream(&self, format: Format) -> UnboundedReceiver<Bytes> {
        let (sender, receiver) = unbounded_channel();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, slots) = &mut *slots;
        slots[*next % SLOTS][format as usize].push(sender);
        *next += 1;
        receiver
    }
}

/// An event with a piece of text, which says when it was made, and more.
pub(super) fn event(more: &str, format: Format) -> Bytes {
    let text = format!("a piece of a text that a model might write, {more}{}", MADE.write(clock::now()));
    let data = format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#);
    match format {
        Format::Plan => ServerEvent::new("content_block_delta", data).to_bytes(),
        Format::Bedrock => frames::chunk(&data),
    }
}
