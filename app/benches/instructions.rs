//! Runs one case under callgrind, which counts its instructions: `cargo xtask bench --only instructions`.
//!
//! Without a name it prints all cases, each with how much it works on. With one it runs that case twice, the first time for
//! whatever is made once in a process, and callgrind is told to count the second time alone.

#![expect(clippy::expect_used, reason = "an input that cannot be made has to stop the run on the spot")]

mod cases;

use std::process::ExitCode;

use cases::{Run, Work};

/// The allocator of the proxy.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cases = cases::all();
    let Some(name) = std::env::args().nth(1) else {
        for case in cases {
            match (case.prepare)().work {
                Work::Bytes(bytes) => println!("{} {bytes} byte", case.name),
                Work::Times(times) => println!("{} {times} time", case.name),
            }
        }
        return ExitCode::SUCCESS;
    };
    let Some(case) = cases.iter().find(|case| case.name == name) else {
        eprintln!("there is no case {name:?}; without a name all of them are printed");
        return ExitCode::FAILURE;
    };
    let mut prepared = (case.prepare)();
    (prepared.begin)()();
    run_and_count((prepared.begin)());
    ExitCode::SUCCESS
}

/// What callgrind counts, by this name.
#[inline(never)]
fn run_and_count(run: Run) {
    run();
}
