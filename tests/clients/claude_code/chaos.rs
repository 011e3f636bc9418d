//! Chaos: whatever happens at the plan, Claude Code completes a conversation of twenty calls of a tool, and the rows of
//! usage are exactly what Bedrock has served.
//!
//! Twenty seeds are played. `CHAOS_SEEDS=500` plays so many, `CHAOS_SEED=7` that one alone, and `CHAOS_JOBS=2` says how
//! many side by side:
//!
//!     CHAOS_SEEDS=500 cargo xtask test --only clients chaos
//!
//! A seed settles what the plan does with each attempt at each step. How many attempts there are is up to the client, and
//! a limit that lasts a second may spare a slow machine fewer requests than a fast one.

mod conversation;
mod dice;
mod fate;
mod figures;
mod providers;
mod story;

use std::any::Any;
use std::io::Write as _;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use conversation::Setup;
use figures::Figures;
use providers::Journal;

/// What is played unless something else is asked for.
const SEEDS: Range<u64> = 0..20;
const JOBS: u64 = 4;

#[test]
fn conversations_survive_whatever_happens_at_the_plan() {
    let seeds = match (asked("CHAOS_SEED"), asked("CHAOS_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(count)) => 0..count,
        (None, None) => SEEDS,
    };
    let started = Instant::now();
    let (left, played) = (Mutex::new(seeds.clone()), Mutex::new((Figures::default(), Vec::new())));
    let next = || left.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..asked("CHAOS_JOBS").unwrap_or(JOBS) {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    let result = play(seed);
                    let (figures, failures) = &mut *played.lock().unwrap();
                    result.map_or_else(|failure| failures.push(failure), |of_one| figures.add(of_one));
                }
            });
        }
    });
    let (figures, failures) = played.into_inner().unwrap();
    let took = started.elapsed().as_secs();
    // Not by `println!`, which a test that passes keeps to itself.
    writeln!(std::io::stderr(), "chaos: {figures}, {} failed, {took} s", failures.len()).unwrap();
    assert!(failures.is_empty(), "{}", failures.concat());
    if seeds == SEEDS {
        figures.assert_much_was_tried();
    }
}

/// Plays one conversation in a runtime of its own, as every test has one. The error has what is needed to look into it.
fn play(seed: u64) -> Result<Figures, String> {
    let journal = Journal::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let held = catch_unwind(AssertUnwindSafe(|| runtime.block_on(conversation::hold(seed, journal.clone()))));
    held.map_err(|panic| {
        let (setup, words) = (Setup::of(seed), words(panic.as_ref()));
        format!("seed {seed} ({setup:?}): {words}\n{journal}reproduce with CHAOS_SEED={seed}\n\n")
    })
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref().copied()).unwrap_or("a panic without words")
}

fn asked(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{variable} is a number, not {text:?}: {error}")))
}
