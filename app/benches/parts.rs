//! How long each case takes, and how much memory: `cargo bench -p claude-code-proxy`.
//!
//! `max alloc` is the most memory in use at a time beyond the input; what comes out is part of it.

#![expect(clippy::expect_used, reason = "an input that cannot be made has to stop the run on the spot")]

mod cases;

use cases::{Case, Work};
use divan::AllocProfiler;
use divan::counter::{BytesCount, ItemsCount};

#[global_allocator]
static ALLOC: AllocProfiler<tikv_jemallocator::Jemalloc> = AllocProfiler::new(tikv_jemallocator::Jemalloc);

fn main() {
    divan::main();
}

#[divan::bench(args = cases::all())]
fn part(bencher: divan::Bencher<'_, '_>, case: &Case) {
    let mut prepared = (case.prepare)();
    let bencher = match prepared.work {
        Work::Bytes(bytes) => bencher.counter(BytesCount::new(bytes)),
        Work::Times(times) => bencher.counter(ItemsCount::new(times)),
    };
    bencher.with_inputs(|| (prepared.begin)()).bench_local_values(|run| run());
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
