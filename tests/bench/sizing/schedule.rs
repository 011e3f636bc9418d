//! When which request is due, by dice that fall the same way each time.
//!
//! Many developers that know nothing of each other send as if by chance, each kind at its own rate. The schedule begins
//! before the run does: of what would be open by then the rest is opened while it settles, so that it need not last until the
//! longest stream is over.

use std::time::Duration;

use fastrand::Rng;

use super::developer::{Asks, EVENTS_A_SECOND, KINDS, Kind, SECONDS};

/// A request that is due.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Due {
    /// Counted from the begin of the run.
    pub(super) after: Duration,
    /// What is asked for.
    pub(super) asks: Asks,
    /// Bytes of its body.
    pub(super) body: usize,
    /// Events with text that a stream shall have.
    pub(super) events: u64,
}

/// The requests of so many developers: those of a run with `lasts` behind `settle`, and what is open when it begins.
pub(super) fn requests(developers: u32, settle: Duration, lasts: Duration, seed: u64) -> Vec<Due> {
    let mut dice = Rng::with_seed(seed);
    let (settle, end) = (settle.as_secs_f64(), (settle + lasts).as_secs_f64());
    let mut requests = Vec::new();
    for kind in KINDS {
        let every = 60.0 / (kind.a_minute * f64::from(developers));
        let mut at = -SECONDS[1];
        loop {
            // Times between events that know nothing of each other.
            at -= every * (1.0 - dice.f64()).ln();
            if at >= end {
                break;
            }
            requests.extend((0..kind.at_once).filter_map(|_| request(kind, at, settle, &mut dice)));
        }
    }
    requests.sort_by_key(|due| due.after);
    requests
}

/// One that is due at this time, in seconds; from before the run the rest of it, if anything is left.
fn request(kind: Kind, at: f64, settle: f64, dice: &mut Rng) -> Option<Due> {
    let seconds = SECONDS[0] + dice.f64() * (SECONDS[1] - SECONDS[0]);
    let body = body(kind, dice.u32(..100));
    let (opened, left) = if at < 0.0 {
        // Those from before the run are spread over the time in which it settles.
        let opened = (at + SECONDS[1]) / SECONDS[1] * settle;
        (opened, at + seconds - opened)
    } else {
        (at, seconds)
    };
    if left <= 0.0 || (at < 0.0 && kind.asks != Asks::Stream) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
    let events = (left * EVENTS_A_SECOND).ceil() as u64;
    Some(Due { after: Duration::from_secs_f64(opened), asks: kind.asks, body, events })
}

fn body(kind: Kind, chance: u32) -> usize {
    let mut below = 0;
    let size = kind.bodies.iter().find(|(share, _)| {
        below += share;
        chance < below
    });
    size.map_or(0, |(_, bytes)| *bytes)
}

#[cfg(test)]
mod tests {
    use super::super::developer::{open_streams, requests_a_minute};
    use super::*;

    const SETTLE: Duration = Duration::from_secs(8);
    const LASTS: Duration = Duration::from_mins(1);

    #[test]
    fn the_same_seed_makes_the_same_schedule() {
        let of = |seed| requests(50, SETTLE, LASTS, seed);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn as_much_is_due_as_developers_send() {
        let due = requests(1000, SETTLE, LASTS, 1);
        let counted = due.iter().filter(|due| due.after >= SETTLE).count();
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let ratio = counted as f64 / (requests_a_minute() * 1000.0);
        assert!((0.95..1.05).contains(&ratio), "{ratio}");
    }

    #[test]
    fn as_many_streams_are_open_from_the_begin_of_the_measurement_as_at_its_end() {
        let due = requests(1000, SETTLE, LASTS, 1);
        for at in [SETTLE, SETTLE + LASTS / 2, SETTLE + LASTS] {
            #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
            let until = |due: &Due| due.after.as_secs_f64() + due.events as f64 / EVENTS_A_SECOND;
            let open = due.iter().filter(|due| due.asks == Asks::Stream && due.after <= at);
            let open = open.filter(|due| until(due) > at.as_secs_f64()).count();
            #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
            let ratio = open as f64 / (open_streams() * 1000.0);
            // What is waited for before the first event is not in it.
            assert!((0.8..1.0).contains(&ratio), "{ratio} at {at:?}");
        }
    }
}
