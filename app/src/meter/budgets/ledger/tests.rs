//! Records count at once and once, months end on time, and everything has a bound.

use chrono::NaiveDate;

use super::*;
use crate::domain::{Cost, Outcome, Route, TokenUsage, UnitPrices};

const USER: Uuid = Uuid::from_u128(1);

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn usd(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn month(number: u32) -> Month {
    let first = |number| NaiveDate::from_ymd_opt(2026, number, 1).unwrap();
    let midnight = |number| first(number).and_hms_opt(0, 0, 0).unwrap().and_utc();
    Month { start: midnight(number), end: midnight(number + 1), reset: first(number + 1), zone: "UTC".to_owned() }
}

fn record(number: u128, timestamp: &str, cost: &str) -> UsageRecord {
    let zero = Decimal::ZERO;
    let prices = UnitPrices { input: zero, output: zero, cache_read: zero, cache_write_5m: zero, cache_write_1h: zero };
    UsageRecord {
        request_id: Uuid::from_u128(number),
        timestamp: at(timestamp),
        user_id: USER,
        access_key_id: USER,
        model: String::new(),
        upstream_model: String::new(),
        upstream_message_id: None,
        tokens: TokenUsage::default(),
        estimated: false,
        cost: Some(Cost { usd: usd(cost), prices, priced: true }),
        provider: Provider::Bedrock,
        is_fallback: false,
        route: Route::default(),
        latency_ms: 0,
        time_to_first_token_ms: None,
        outcome: Outcome::Completed,
        session_id: None,
        agent_id: None,
    }
}

/// A ledger in March that knows a user who has a budget of 10 and has spent so much by the database.
fn ledger(stored: &str) -> Ledger {
    let mut ledger = Ledger::default();
    check(&mut ledger, "2026-03-10T00:00:00Z");
    ledger.answered(&[USER], spend(3, stored, &[]));
    ledger
}

fn spend(number: u32, total: &str, stored: &[u128]) -> Spend {
    let stored = stored.iter().map(|id| Uuid::from_u128(*id)).collect();
    Spend { month: month(number), totals: vec![(USER, usd(total))], stored }
}

fn check(ledger: &mut Ledger, now: &str) -> Standing {
    ledger.check(USER, usd("10"), at(now), Instant::now()).0
}

fn spent(standing: Standing) -> Decimal {
    let Standing::Spent(spent) = standing else { panic!("{standing:?}") };
    spent.spent
}

#[test]
fn a_record_counts_at_once_and_not_twice_when_the_database_has_it() {
    let (now, mut ledger) = ("2026-03-10T00:00:00Z", ledger("7.9"));
    assert_eq!(check(&mut ledger, now), Standing::Open);
    ledger.record(&record(7, now, "1.1"), at(now));
    assert_eq!(check(&mut ledger, now), Standing::Near(90));
    // The answer is older than the record, and then it has it.
    assert!(ledger.answered(&[USER], spend(3, "7.9", &[])), "of the record nobody has asked yet");
    assert_eq!(check(&mut ledger, now), Standing::Near(90));
    assert!(ledger.question(at(now), Instant::now()).is_some());
    assert!(!ledger.answered(&[USER], spend(3, "9.0", &[7])));
    assert_eq!(check(&mut ledger, now), Standing::Near(90));
    ledger.record(&record(8, now, "1"), at(now));
    assert_eq!(spent(check(&mut ledger, now)), usd("10"));
}

#[test]
fn what_the_plan_served_and_what_is_of_another_month_is_free() {
    let (now, mut ledger) = ("2026-03-10T00:00:00Z", ledger("0"));
    ledger.record(&UsageRecord { provider: Provider::Plan, ..record(1, now, "20") }, at(now));
    ledger.record(&record(2, "2026-02-28T23:59:59Z", "20"), at(now));
    assert_eq!(check(&mut ledger, now), Standing::Open);
}

#[test]
fn a_month_ends_without_the_database() {
    let mut ledger = ledger("10");
    ledger.record(&record(1, "2026-03-31T23:59:59Z", "5"), at("2026-03-31T23:59:59Z"));
    assert_eq!(spent(check(&mut ledger, "2026-03-31T23:59:59Z")), usd("15"));
    assert_eq!(check(&mut ledger, "2026-04-01T00:00:00Z"), Standing::Open);
    // What began in March and ends in April is March's.
    ledger.answered(&[USER], spend(4, "0", &[]));
    ledger.record(&record(2, "2026-03-31T23:59:58Z", "20"), at("2026-04-01T00:00:01Z"));
    assert_eq!(check(&mut ledger, "2026-04-01T00:00:02Z"), Standing::Open);
    // An answer about March that comes late changes nothing.
    ledger.answered(&[USER], spend(3, "20", &[]));
    assert_eq!(check(&mut ledger, "2026-04-01T00:00:03Z"), Standing::Open);
}

#[test]
fn a_mark_is_told_once_a_month() {
    let (now, mut ledger) = ("2026-03-10T00:00:00Z", ledger("8"));
    let mut percents = Vec::new();
    for number in 0..4 {
        percents.extend(ledger.passes(USER).map(|passed| passed.percent));
        percents.extend(ledger.passes(USER).map(|passed| passed.percent));
        ledger.record(&record(number, now, "1"), at(now));
    }
    assert_eq!(percents, [80, 100]);
    check(&mut ledger, "2026-04-01T00:00:00Z");
    ledger.answered(&[USER], spend(4, "9", &[]));
    assert_eq!(ledger.passes(USER).map(|passed| passed.percent), Some(90));
}

/// Whoever comes back when nothing is left would have a first request for free, again and again.
#[test]
fn who_has_spent_it_all_is_not_forgotten_before_the_month_ends() {
    let (now, mut ledger) = ("2026-03-10T00:00:00Z", ledger("10"));
    let later = Instant::now() + 2 * REMEMBERED;
    assert_eq!(ledger.question(at(now), later), Some((vec![USER], vec![])));
    assert_eq!(spent(check(&mut ledger, now)), usd("10"));
    ledger.question(at("2026-04-01T00:00:00Z"), later);
    assert_eq!(ledger.users.len(), 0);
}

#[test]
fn idle_users_are_forgotten_and_the_rest_is_bounded() {
    let (now, mut ledger) = (at("2026-03-10T00:00:00Z"), ledger("0"));
    let later = Instant::now() + REMEMBERED;
    ledger.record(&record(1, "2026-03-10T00:00:00Z", "1"), now);
    assert_eq!(ledger.question(now, later), Some((vec![USER], vec![Uuid::from_u128(1)])));
    ledger.answered(&[USER], spend(3, "1", &[1]));
    assert_eq!(ledger.question(now, later), None);
    for number in 0..=MAX_USERS as u128 {
        ledger.check(Uuid::from_u128(number), Decimal::ONE, now, Instant::now());
    }
    assert_eq!(ledger.users.len(), MAX_USERS);
    for number in 0..=MAX_PENDING as u128 {
        ledger.record(&record(number, "2026-03-10T00:00:00Z", "1"), now);
    }
    assert_eq!(ledger.pending.len(), MAX_PENDING);
}

#[test]
fn who_spends_a_tenth_of_the_rest_has_others_heard() {
    let (now, mut ledger) = ("2026-03-10T00:00:00Z", ledger("5"));
    let costs = ["0.2", "0.29", "0.01", "0.1"].into_iter().zip(1..);
    let asks: Vec<bool> = costs.map(|(cost, number)| ledger.record(&record(number, now, cost), at(now))).collect();
    assert_eq!(asks, [false, false, true, true]);
    ledger.answered(&[USER], spend(3, "9.9", &[1, 2, 3, 4]));
    assert!(!ledger.record(&record(5, now, "0.009"), at(now)));
    assert!(ledger.record(&record(6, now, "0.001"), at(now)));
    ledger.answered(&[USER], spend(3, "11", &[5, 6]));
    assert!(ledger.record(&record(7, now, "0.001"), at(now)), "what is spent too much is heard at once");
}
