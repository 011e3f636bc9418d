//! How many requests are served at a time. A request counts until its answer has ended or the client has left.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::{ErrorType, Failure};
use crate::telemetry::counters::{self, OneInFlight};

/// The places there are. Taking and giving back is an atomic operation; nobody waits for one.
#[derive(Debug)]
pub struct InFlight(Arc<Semaphore>);

/// A request's place, given back when the last copy is dropped.
///
/// It travels in the extensions of the answer, which the server keeps as long as the answer's body.
#[derive(Clone, Debug)]
pub(super) struct Place {
    _held: Arc<(OwnedSemaphorePermit, OneInFlight)>,
}

impl InFlight {
    /// This many places.
    pub fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))))
    }

    /// A place.
    ///
    /// # Errors
    /// What the client is told when all of them are taken; it tries again by itself.
    pub(super) fn enter(&self) -> Result<Place, Failure> {
        match Arc::clone(&self.0).try_acquire_owned() {
            Ok(permit) => Ok(Place { _held: Arc::new((permit, counters::in_flight())) }),
            Err(_) => Err(overloaded("The proxy is serving as many requests as it can. Try again in a moment.")),
        }
    }
}

/// The refusal that Claude Code and the SDKs answer with another try.
pub(super) fn overloaded(message: &str) -> Failure {
    Failure::new(529, ErrorType::Overloaded, message).after_seconds(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_last_copy_is_gone() {
        let in_flight = InFlight::new(1);
        let place = in_flight.enter().unwrap();
        let copy = place.clone();
        drop(place);
        let refused = in_flight.enter().unwrap_err();
        assert_eq!((refused.status, refused.retry_after), (529, Some(1)));
        drop(copy);
        assert!(in_flight.enter().is_ok());
    }
}
