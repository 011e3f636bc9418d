//! The breaker by examples, and against a plain model of it under random events.

use proptest::prelude::*;

use super::*;

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

struct Bench {
    start: Instant,
    breaker: Breaker,
}

impl Bench {
    fn new(rule: Rule) -> Self {
        Self { start: Instant::now(), breaker: Breaker::new(rule) }
    }

    fn at(&self, second: u64) -> Instant {
        self.start + seconds(second)
    }

    fn fail(&mut self, second: u64) {
        let at = self.at(second);
        self.breaker.failed(at, at);
    }

    fn serve(&mut self, second: u64) {
        let at = self.at(second);
        self.breaker.served(at, at);
    }

    fn admit(&mut self, second: u64) -> Admission {
        let at = self.at(second);
        self.breaker.admit(at)
    }
}

#[test]
fn three_failures_within_a_minute_open_it_for_thirty_seconds() {
    let mut bench = Bench::new(PER_CREDENTIAL);
    for second in [0, 20, 40] {
        assert_eq!(bench.admit(second), Admission::Pass);
        bench.fail(second);
    }
    assert_eq!(bench.admit(69), Admission::Refused);
    assert_eq!(bench.admit(70), Admission::Probe);
}

#[test]
fn failures_age_out_and_successes_do_not_reset_them() {
    let mut bench = Bench::new(PER_CREDENTIAL);
    for second in [0, 50, 100, 150, 200] {
        bench.fail(second);
        assert_eq!(bench.admit(second), Admission::Pass, "never three within a minute");
    }
    bench.serve(201);
    bench.fail(215);
    bench.serve(216);
    bench.fail(217);
    assert_eq!(bench.admit(218), Admission::Refused, "200, 215 and 217, whatever was served in between");
}

/// B-68
#[test]
fn one_probe_at_a_time_decides() {
    let mut bench = Bench::new(PER_CREDENTIAL);
    for _ in 0..3 {
        bench.fail(0);
    }
    assert_eq!(bench.admit(30), Admission::Probe);
    assert_eq!(bench.admit(30), Admission::Refused);
    assert_eq!(bench.admit(99), Admission::Refused);
    bench.serve(100);
    assert_eq!(bench.admit(100), Admission::Pass);
    bench.fail(101);
    bench.fail(102);
    assert_eq!(bench.admit(103), Admission::Pass, "the window began anew");
}

#[test]
fn failed_probes_double_the_wait_up_to_half_an_hour() {
    let mut bench = Bench::new(PER_CREDENTIAL);
    for _ in 0..3 {
        bench.fail(0);
    }
    let mut now = 0;
    for wait in [30, 60, 120, 240, 480, 960, 1800, 1800, 1800] {
        assert_eq!(bench.admit(now + wait - 1), Admission::Refused, "after {wait} s");
        now += wait;
        assert_eq!(bench.admit(now), Admission::Probe, "after {wait} s");
        bench.fail(now);
    }
}

#[test]
fn an_abandoned_probe_leaves_its_place_to_the_next() {
    let mut bench = Bench::new(PER_CREDENTIAL);
    for _ in 0..3 {
        bench.fail(0);
    }
    assert_eq!(bench.admit(30), Admission::Probe);
    bench.breaker.probe_abandoned();
    assert_eq!(bench.admit(30), Admission::Probe);
}

#[test]
fn the_time_that_the_upstream_names_wins() {
    let mut bench = Bench::new(PER_CREDENTIAL);
    let (hour, minute) = (bench.at(3600), bench.at(60));
    let now = bench.at(0);
    bench.breaker.close_until(hour, now);
    bench.breaker.close_until(minute, now);
    assert_eq!(bench.admit(3599), Admission::Refused);
    assert_eq!(bench.admit(3600), Admission::Probe);
    assert_eq!(bench.breaker.phase(bench.at(3600)), Phase::HalfOpen);
}

#[test]
fn older_news_changes_nothing() {
    let mut bench = Bench::new(PER_CREDENTIAL);
    let (early, later, hour) = (bench.at(0), bench.at(5), bench.at(3600));
    bench.breaker.close_until(hour, bench.start + seconds(3));
    bench.breaker.served(early, later);
    assert_eq!(bench.admit(6), Admission::Refused, "it was admitted before the limit was named");
    assert_eq!(bench.admit(3600), Admission::Probe);
    let late = bench.at(3601);
    bench.breaker.failed(early, late);
    bench.serve(3602);
    assert_eq!(bench.admit(3603), Admission::Pass, "the probe decides, not a straggler");
}

#[test]
fn an_upstream_breaks_when_half_of_twenty_fail() {
    let mut bench = Bench::new(PER_UPSTREAM);
    for _ in 0..19 {
        bench.fail(0);
    }
    assert_eq!(bench.admit(0), Admission::Pass, "nineteen are too few");
    for _ in 0..21 {
        bench.serve(1);
    }
    bench.fail(1);
    assert_eq!(bench.admit(1), Admission::Pass, "20 of 41");
    bench.fail(1);
    assert_eq!(bench.admit(1), Admission::Refused, "21 of 42");
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Pass(u64),
    Ask,
    Serve,
    Fail,
    Abandon,
    Close(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        (0_u64..50).prop_map(Event::Pass),
        Just(Event::Ask),
        Just(Event::Serve),
        Just(Event::Fail),
        Just(Event::Abandon),
        (1_u64..5000).prop_map(Event::Close),
    ];
    proptest::collection::vec(event, 0..80)
}

/// The same rules written the long way: every failure is kept for ever, and the state is asked of the whole history.
#[derive(Default)]
struct Model {
    failures: Vec<u64>,
    open_until: Option<u64>,
    probing: bool,
    doubled: u32,
}

impl Model {
    fn admit(&mut self, now: u64) -> Admission {
        let Some(until) = self.open_until else { return Admission::Pass };
        if now < until || self.probing {
            return Admission::Refused;
        }
        self.probing = true;
        Admission::Probe
    }

    fn wait(&self) -> u64 {
        (30 * 2_u64.pow(self.doubled.min(20))).min(1800)
    }

    fn apply(&mut self, event: Event, now: u64) {
        match event {
            Event::Serve if self.open_until.is_some() => *self = Self::default(),
            Event::Fail if self.open_until.is_some() && self.probing => {
                self.probing = false;
                self.doubled += 1;
                self.open_until = Some(now + self.wait());
            }
            Event::Fail if self.open_until.is_none() => {
                self.failures.push(now);
                if self.failures.iter().filter(|at| now - **at <= 60).count() >= 3 {
                    self.failures.clear();
                    self.open_until = Some(now + self.wait());
                }
            }
            Event::Close(seconds) => {
                self.probing = false;
                self.failures.clear();
                self.open_until = self.open_until.max(Some(now + seconds));
            }
            Event::Abandon => self.probing = false,
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn it_does_what_the_plain_model_does(events in events()) {
        let mut bench = Bench::new(PER_CREDENTIAL);
        let mut model = Model::default();
        let mut now = 0;
        for event in events {
            let at = bench.at(now);
            match event {
                Event::Pass(seconds) => now += seconds,
                Event::Ask => prop_assert_eq!(bench.breaker.admit(at), model.admit(now)),
                Event::Serve => _ = bench.breaker.served(at, at),
                Event::Fail => bench.breaker.failed(at, at),
                Event::Abandon => bench.breaker.probe_abandoned(),
                Event::Close(after) => bench.breaker.close_until(at + seconds(after), at),
            }
            model.apply(event, now);
        }
        prop_assert_eq!(bench.admit(now), model.admit(now));
    }
}
