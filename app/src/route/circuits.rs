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

    /// Closes the plan for a credential until a moment that the plan has named, here or to another task.
    pub fn close_until(&self, key: CircuitKey, until: Instant, now: Instant) {
        lock(&self.own(key)).close_until(until, now);
    }

    /// The same, as another instance or this one has told it. What is known already changes nothing: a request that is on
    /// its way to disprove it was admitted after it.
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
mod tests {
    use super::*;

    fn key(credential: u8, family: Family) -> CircuitKey {
        CircuitKey { credential: KeyHash([credential; 32]), family }
    }

    fn fail(circuits: &Circuits, key: CircuitKey, effect: Effect, now: Instant) {
        circuits.ticket(key, now).failed(effect, now);
    }

    /// B-67: one credential's limit, or one family's, is nobody else's.
    #[test]
    fn credentials_and_families_are_apart() {
        let (circuits, now) = (Circuits::default(), Instant::now());
        fail(&circuits, key(1, Family::Opus), Effect::ClosedFor(Duration::from_secs(9)), now);
        assert!(circuits.admit(key(1, Family::Opus), now).is_none());
        assert!(circuits.admit(key(1, Family::Haiku), now).is_some());
        assert!(circuits.admit(key(2, Family::Opus), now).is_some());
    }

    /// B-61
    #[test]
    fn what_one_request_may_not_have_counts_for_nothing() {
        let (circuits, now) = (Circuits::default(), Instant::now());
        for _ in 0..10 {
            fail(&circuits, key(1, Family::Opus), Effect::None, now);
        }
        assert!(circuits.admit(key(1, Family::Opus), now).is_some());
    }

    #[test]
    fn a_plan_that_fails_for_all_is_not_asked_by_anybody_but_one_probe() {
        let (circuits, now) = (Circuits::default(), Instant::now());
        for credential in 0..20 {
            fail(&circuits, key(credential, Family::Opus), Effect::CountsForAll, now);
        }
        assert!(circuits.admit(key(99, Family::Opus), now).is_none());
        let later = now + Duration::from_secs(30);
        let probe = circuits.admit(key(99, Family::Opus), later).unwrap();
        assert!(probe.is_probe() && circuits.admit(key(98, Family::Opus), later).is_none());
        drop(probe);
        let probe = circuits.admit(key(98, Family::Opus), later).unwrap();
        probe.served(later);
        assert!(circuits.admit(key(97, Family::Opus), later).is_some_and(|ticket| !ticket.is_probe()));
    }

    #[test]
    fn a_probe_that_is_dropped_or_refused_by_the_plans_own_breaker_is_given_back() {
        let (circuits, now) = (Circuits::default(), Instant::now());
        let mine = key(1, Family::Opus);
        fail(&circuits, mine, Effect::ClosedFor(Duration::from_secs(1)), now);
        for credential in 2..30 {
            fail(&circuits, key(credential, Family::Opus), Effect::CountsForAll, now);
        }
        let later = now + Duration::from_secs(1);
        assert!(circuits.admit(mine, later).is_none(), "the plan's own breaker is open");
        assert_eq!(circuits.phase(&mine, later), Phase::HalfOpen);
        let much_later = now + Duration::from_secs(30);
        assert!(circuits.admit(mine, much_later).is_some_and(|ticket| ticket.is_probe()));
    }

    /// A region is left alone when half of its calls fail, and tried again however often a try comes to nothing.
    #[test]
    fn a_region_that_fails_is_tried_again() {
        let (circuits, now) = (Circuits::default(), Instant::now());
        for _ in 0..20 {
            circuits.bedrock_ticket("us-east-1", now).failed(now);
        }
        assert!(circuits.admit_bedrock("us-east-1", now).is_none());
        assert!(circuits.admit_bedrock("eu-west-1", now).is_some(), "another region");
        let later = now + Duration::from_secs(30);
        for _ in 0..3 {
            drop(circuits.admit_bedrock("us-east-1", later).unwrap());
        }
        assert_eq!((circuits.open_providers(now), circuits.open_providers(later)), (1, 0));
        circuits.admit_bedrock("us-east-1", later).unwrap().served(later);
        assert!(circuits.admit_bedrock("us-east-1", later).is_some_and(|ticket| !ticket.probe));
    }

    #[test]
    fn each_circuit_is_told_by_its_name_and_reset_alone() {
        let (circuits, now) = (Circuits::default(), Instant::now());
        let (mine, other) = (key(1, Family::Opus), key(2, Family::Opus));
        for key in [mine, other] {
            fail(&circuits, key, Effect::ClosedFor(Duration::from_secs(9)), now);
        }
        for _ in 0..20 {
            circuits.bedrock_ticket("us-east-1", now).failed(now);
            fail(&circuits, key(3, Family::Opus), Effect::CountsForAll, now);
        }
        let names = |circuits: &Circuits| {
            let mut names: Vec<String> = circuits.not_closed(now).into_iter().map(|(id, _)| id.to_string()).collect();
            names.sort();
            names
        };
        let all = ["bedrock-us-east-1", "login-01010101-opus", "login-02020202-opus", "login-03030303-opus", "plan"];
        assert_eq!(names(&circuits), all);
        for id in ["plan", "bedrock-us-east-1", "login-01010101-opus", "login-03030303-opus", "login-01010101-haiku"] {
            circuits.reset(&id.parse().unwrap());
        }
        assert_eq!(names(&circuits), [other.id().to_string()]);
        assert!(circuits.admit(mine, now).is_some() && circuits.admit(other, now).is_none());
        assert!(circuits.admit_bedrock("us-east-1", now).is_some());
    }

    #[test]
    fn only_a_success_before_its_time_lifts_a_limit() {
        let (circuits, now) = (Circuits::default(), Instant::now());
        let (mine, later) = (key(1, Family::Opus), now + Duration::from_secs(9));
        assert!(!circuits.ticket(mine, now).served(now));
        fail(&circuits, mine, Effect::ClosedFor(Duration::from_secs(9)), now);
        assert!(circuits.ticket(mine, now).served(now));
        fail(&circuits, mine, Effect::ClosedFor(Duration::from_secs(9)), now);
        assert!(!circuits.admit(mine, later).unwrap().served(later));
    }

    #[test]
    fn a_limit_that_is_told_again_does_not_overtake_what_disproves_it() {
        let (circuits, begin) = (Circuits::default(), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mine = key(1, Family::Opus);
        circuits.close_until(mine, at(100), begin);
        let under_way = circuits.ticket(mine, at(1));
        circuits.told_closed_until(mine, at(100), at(2));
        assert!(under_way.served(at(3)), "it lifts the limit");
        circuits.told_closed_until(mine, at(100), at(4));
        let under_way = circuits.ticket(mine, at(5));
        circuits.told_closed_until(mine, at(200), at(6));
        assert!(!under_way.served(at(7)), "that is another limit");
    }

    #[test]
    fn memory_is_bounded() {
        let (circuits, now) = (Circuits::default(), Instant::now());
        for number in 0..MAX_BREAKERS + 20_000 {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_be_bytes());
            let key = CircuitKey { credential: KeyHash(hash), family: Family::Opus };
            circuits.close_until(key, now, now);
        }
        circuits.credentials.run_pending_tasks();
        assert!(circuits.credentials.entry_count() <= MAX_BREAKERS);
    }
}
