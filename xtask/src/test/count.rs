//! Counts the tests that a group has run, from what they printed.

/// The sum over all test binaries: each begins with `running 3 tests`, after its filters.
pub(super) fn tests_run(log: &str) -> u64 {
    log.lines().filter_map(number).sum()
}

fn number(line: &str) -> Option<u64> {
    let (number, noun) = line.trim_end().strip_prefix("running ")?.split_once(' ')?;
    if matches!(noun, "test" | "tests") { number.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_of_all_binaries_are_counted() {
        let log = "     Running unittests src/lib.rs\n\nrunning 0 tests\n\ntest result: ok. 0 passed\n\nrunning 1 test\n\
                   test a ... ok\nrunning 12 tests\nrunning out of tests\nrunning 5 errands\n";
        assert_eq!(tests_run(log), 13);
        assert_eq!(tests_run("running 0 tests\n"), 0);
        assert_eq!(tests_run(""), 0);
    }
}
