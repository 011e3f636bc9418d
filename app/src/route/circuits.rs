//! The breakers of this process: one per credential and model family, one for the plan as a whole, one per Bedrock region.
//!
//! A breaker of its own begins with the first failure, so that requests which all succeed touch the plan's alone. Each
//! is behind a lock that is held for some nanoseconds and never across a wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moka::sync::Cache;

use super::breaker::{Admission, Breaker, PER_CREDENTIAL, PER_UPSTREAM, Phase};
use super::classify::Effect;
use crate::domain::circuit_id::LOGIN_DIGITS;
use crate::domain::{CircuitId, Family, KeyHash};

/// Breakers that are remembered at the most; the least used go first.
const MAX_BREAKERS: u64 = 50_000;
/// The longest limit of a plan, with a day to spare.
const MAX_IDLE: Duration = Duration::from_hours(9 * 24);
/// Resets so close to each other are the same: one was told by the calendar, and clocks differ.
const SAME_RESET: Duration = Duration::from_secs(1);

/// Whose breaker: a credential (by its hash) and the family of models that it asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CircuitKey {
    /// Hash of what is sent to the plan as credential.
    pub credential: KeyHash,
    /// Limits are per family.
    pub family: Family,
}

impl CircuitKey {
    /// What it is called.
    pub fn id(&self) -> CircuitId {
        let mut login = self.credential.to_hex();
        login.truncate(LOGIN_DIGITS);
        CircuitId::Login(login, self.family)
    }
}

type Shared = Arc<Mutex<Breaker>>;

/// All breakers.
#[derive(Clone, Debug)]
pub struct Circuits {
    credentials: Cache<CircuitKey, Shared>,
    plan: Shared,
    regions: Cache<String, Shared>,
}

impl Default for Circuits {
    fn default() -> Self {
        let plan = Arc::new(Mutex::new(Breaker::new(PER_UPSTREAM)));
        let credentials = Cache::builder().max_capacity(MAX_BREAKERS).time_to_idle(MAX_IDLE).build();
        Self { credentials, plan, regions: Cache::builder().max_capacity(1000).build() }
    }
}

impl Circuits {
    /// Asks whether the plan may be asked; `None` when not. Whoever gets a ticket reports on it how it went.
    pub fn admit(&self, key: CircuitKey, now: Instant) -> Option<Ticket> {
        let own = self.credentials.get(&key);
        let own_admission = own.as_ref().map_or(Admission::Pass, |breaker| lock(breaker).admit(now));
        if own_admission == Admission::Refused {
            return None;
        }
        let plan_admission = lock(&self.plan).admit(now);
        let mut ticket = self.ticket(key, now);
        ticket.own_probe = own.filter(|_| own_admission == Admission::Probe);
        ticket.plan_probe = plan_admission == Admission::Probe;
        // Dropping the ticket gives a probe of the credential back.
        (plan_admission != Admission::Refused).then_some(ticket)
    }

    /// A ticket for a request that asks the plan whatever the breakers say, because there is no other way.
    pub fn ticket(&self, key: CircuitKey, now: Instant) -> Ticket {
        Ticket { circuits: self.clone(), key, admitted: now, own_probe: None, plan_probe: false }
    }

    /// The state of a credential's breaker.
    pub fn phase(&self, key: &CircuitKey, now: Instant) -> Phase {
        self.credentials.get(key).map_or(Phase::Closed, |breaker| lock(&breaker).phase(now))
    }

    /// When the plan may have been asked again after the breakers were last open, if they were.
    pub fn open_until(&self, key: &CircuitKey) -> Option<Instant> {
        let own = self.credentials.get(key).and_then(|breaker| lock(&breaker).open_until());
        own.max(lock(&self.plan).open_until())
    }

    /// Closes the plan for a credential until a moment that the plan has named just now.
    fn close_until(&self, key: CircuitKey, until: Instant, now: Instant) {
        lock(&self.own(key)).close_until(until, now);
    }

    /// Closes the plan for a credential until a moment of which another instance, or this one, has told. What is known already
    /// changes nothing: a request that is on its way to disprove it was admitted after it.
    pub fn told_closed_until(&self, key: CircuitKey, until: Instant, now: Instant) {
        let own = self.own(key);
        let mut own = lock(&own);
        if own.open_until().is_none_or(|open| open + SAME_RESET < until) {
            own.close_until(until, now);
        }
    }

    /// Asks whether Bedrock may be asked in a region; `None` when not, which matters where there is another answer.
    pub fn admit_bedrock(&self, region: &str, now: Instant) -> Option<RegionTicket> {
        let admission = self.regions.get(region).map_or(Admission::Pass, |breaker| lock(&breaker).admit(now));
        let mut ticket = self.bedrock_ticket(region, now);
        ticket.probe = admission == Admission::Probe;
        (admission != Admission::Refused).then_some(ticket)
    }

    /// A ticket for a request that asks Bedrock whatever the breaker says, because there is no other way.
    pub fn bedrock_ticket(&self, region: &str, now: Instant) -> RegionTicket {
        RegionTicket { circuits: self.clone(), region: region.to_owned(), admitted: now, probe: false }
    }

    /// Closes a circuit, if there is one with that name.
    pub fn reset(&self, id: &CircuitId) {
        match id {
            CircuitId::Plan => lock(&self.plan).reset(),
            CircuitId::Bedrock(region) => {
                if let Some(breaker) = self.regions.get(region) {
                    lock(&breaker).reset();
                }
            }
            CircuitId::Login(..) => {
                for (_, breaker) in self.credentials.iter().filter(|(key, _)| key.id() == *id) {
                    lock(&breaker).reset();
                }
            }
        }
    }

    /// The circuits that are not closed.
    pub fn not_closed(&self, now: Instant) -> Vec<(CircuitId, Phase)> {
        let all = std::iter::once((CircuitId::Plan, Arc::clone(&self.plan)))
            .chain(self.regions.iter().map(|(region, breaker)| (CircuitId::Bedrock(String::clone(&region)), breaker)))
            .chain(self.credentials.iter().map(|(key, breaker)| (key.id(), breaker)));
        let phases = all.map(|(id, breaker)| (id, lock(&breaker).phase(now)));
        phases.filter(|(_, phase)| *phase != Phase::Closed).collect()
    }

    /// How many providers are not asked at a moment: the plan as a whole, and each region of Bedrock.
    pub fn open_providers(&self, now: Instant) -> u32 {
        let is_open = |breaker: &Shared| u32::from(matches!(lock(breaker).phase(now), Phase::Open { .. }));
        is_open(&self.plan) + self.regions.iter().map(|(_, breaker)| is_open(&breaker)).sum::<u32>()
    }

    fn region(&self, region: &str) -> Shared {
        self.regions.get_with_by_ref(region, || Arc::new(Mutex::new(Breaker::new(PER_UPSTREAM))))
    }

    fn own(&self, key: CircuitKey) -> Shared {
        self.credentials.get_with(key, || Arc::new(Mutex::new(Breaker::new(PER_CREDENTIAL))))
    }
}

/// The right to ask the plan once. Dropped without a report it says nothing about the plan: the client left.
#[derive(Debug)]
pub struct Ticket {
    circuits: Circuits,
    key: CircuitKey,
    admitted: Instant,
    own_probe: Option<Shared>,
    plan_probe: bool,
}

impl Ticket {
    /// Whose breaker it is about.
    pub fn key(&self) -> CircuitKey {
        self.key
    }

    /// Whether the answer decides if a breaker closes.
    pub fn is_probe(&self) -> bool {
        self.plan_probe || self.own_probe.is_some()
    }

    /// The plan has served. Says whether that has closed the breaker of the credential before its time.
    pub fn served(mut self, now: Instant) -> bool {
        (self.own_probe, self.plan_probe) = (None, false);
        lock(&self.circuits.plan).served(self.admitted, now);
        self.circuits.credentials.get(&self.key).is_some_and(|breaker| lock(&breaker).served(self.admitted, now))
    }

    /// The plan has failed.
    pub fn failed(mut self, effect: Effect, now: Instant) {
        match effect {
            // Nothing is learnt, not even from a probe.
            Effect::None => return,
            Effect::Counts | Effect::CountsForAll => lock(&self.circuits.own(self.key)).failed(self.admitted, now),
            Effect::ClosedFor(wait) => self.circuits.close_until(self.key, now + wait, now),
        }
        self.own_probe = None;
        // A limit of one credential is an answer of a plan that works.
        let mut plan = lock(&self.circuits.plan);
        if effect == Effect::CountsForAll {
            plan.failed(self.admitted, now);
        } else {
            plan.served(self.admitted, now);
        }
        self.plan_probe = false;
        drop(plan);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(breaker) = &self.own_probe {
            lock(breaker).probe_abandoned();
        }
        if self.plan_probe {
            lock(&self.circuits.plan).probe_abandoned();
        }
    }
}

/// The right to ask Bedrock in a region once. Dropped without a report it says nothing about Bedrock.
#[derive(Debug)]
pub struct RegionTicket {
    circuits: Circuits,
    region: String,
    admitted: Instant,
    probe: bool,
}

impl RegionTicket {
    /// Bedrock has served, or refused a request for the request's own sake.
    pub fn served(mut self, now: Instant) {
        self.probe = false;
        lock(&self.circuits.region(&self.region)).served(self.admitted, now);
    }

    /// Bedrock has failed, or was not reached.
    pub fn failed(mut self, now: Instant) {
        self.probe = false;
        lock(&self.circuits.region(&self.region)).failed(self.admitted, now);
    }
}

impl Drop for RegionTicket {
    fn drop(&mut self) {
        if self.probe {
            lock(&self.circuits.region(&self.region)).probe_abandoned();
        }
    }
}

fn lock(breaker: &Mutex<Breaker>) -> MutexGuard<'_, Breaker> {
    // A breaker is valid after every step, so a panic in another thread leaves nothing half done.
    breaker.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
