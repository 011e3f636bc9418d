//! Sends what is due, whatever becomes of what was sent before, and looks at the answers as they come.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use memchr::memmem;
use tokio::task::AbortHandle;

use super::body::Bodies;
use super::developer::Asks;
use super::schedule::Due;
use crate::speed::clock;
use crate::speed::open::{Idle, begin};
use crate::speed::stage::Target;
use crate::speed::stamp::{ASKED, MADE};

/// A request that takes longer has failed.
const LONGEST: Duration = Duration::from_mins(1);
/// How the last event of an answer ends, and with it each stream.
const LAST_EVENT: &[u8] = b"\"type\":\"message_stop\"";
const ERROR: &[u8] = b"event: error";

/// What was seen while it counted, times in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// From when a request was due to its first event, without the time in which the upstream had it.
    pub(super) added: Vec<f64>,
    /// From when an event was made to when it was there.
    pub(super) events: Vec<f64>,
    /// Requests that were due.
    pub(super) requests: u64,
    /// Why some have failed.
    pub(super) failed: Vec<String>,
}

/// Streams that have begun and not ended, and what is seen of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    open: Arc<AtomicU64>,
    counts: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
}

impl Watch {
    /// How many streams are open.
    pub(super) fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Whether what is seen counts from now on. Failures always do.
    pub(super) fn counts(&self, counts: bool) {
        self.counts.store(counts, Ordering::Relaxed);
    }

    /// Takes what was seen.
    pub(super) fn take(&self) -> Seen {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn note_counted(&self, note: impl FnOnce(&mut Seen)) {
        if self.counts.load(Ordering::Relaxed) {
            self.note(note);
        }
    }

    /// Looks at a piece of a stream.
    fn look(&self, piece: &[u8], due: u64) {
        let now = clock::now();
        let asked = ASKED.read(piece).next();
        self.note_counted(|seen| {
            for (number, made) in MADE.read(piece).enumerate() {
                seen.events.push(milliseconds(now.saturating_sub(made)));
                if let (0, Some(asked)) = (number, asked) {
                    let of_upstream = made.saturating_sub(asked);
                    seen.added.push(milliseconds(now.saturating_sub(due).saturating_sub(of_upstream)));
                }
            }
        });
    }
}

/// Counts as long as it lives.
struct Open(Arc<AtomicU64>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sends everything, in the names of these in turn; what is then under way is broken off at the end of it.
pub(super) async fn send(due: Vec<Due>, targets: Vec<Target>, bodies: Arc<Bodies>, watch: Watch) -> Result<()> {
    let idle = Idle::default();
    let mut targets = targets.into_iter().cycle();
    let due = due.into_iter().map(|due| (due.after, due));
    let running = begin(due, move |due, when| {
        let (target, bodies, idle, watch) = (targets.next(), bodies.clone(), idle.clone(), watch.clone());
        async move {
            let one = async {
                let Some(target) = target else { return Ok(()) };
                one(due, when, &target, &bodies, &idle, &watch).await
            };
            let failed = match tokio::time::timeout(LONGEST, one).await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => format!("{error:#}"),
                Err(_) => format!("no end after {} s", LONGEST.as_secs()),
            };
            watch.note(|seen| seen.failed.push(failed));
        }
    });
    let running: Vec<AbortHandle> = running.await?.iter().map(tokio::task::JoinHandle::abort_handle).collect();
    running.iter().for_each(AbortHandle::abort);
    Ok(())
}

async fn one(due: Due, when: Instant, target: &Target, bodies: &Bodies, idle: &Idle, watch: &Watch) -> Result<()> {
    watch.note_counted(|seen| seen.requests += 1);
    let due_at = clock::now().saturating_sub(u64::try_from(when.elapsed().as_nanos())?);
    let ask = bodies.ask(&due);
    let mut connection = idle.take(target).await?;
    if due.asks == Asks::Stream {
        watch.open.fetch_add(1, Ordering::Relaxed);
        let _open = Open(Arc::clone(&watch.open));
        let (mut tail, mut broken) = (Vec::new(), false);
        let see = |piece: &Bytes| {
            watch.look(piece, due_at);
            tail.drain(..tail.len().saturating_sub(2 * LAST_EVENT.len()));
            tail.extend_from_slice(piece);
            broken |= memmem::find(&tail, ERROR).is_some();
        };
        connection.ask(&ask, see).await?;
        ensure!(!broken, "a stream ended with an error");
        ensure!(memmem::find(&tail, LAST_EVENT).is_some(), "a stream ended without its last event");
    } else {
        connection.ask(&ask, |_| {}).await?;
    }
    idle.give_back(connection);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a short time")]
fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}
