//! What the breakers let through, together and apart.

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
