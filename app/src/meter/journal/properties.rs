//! The journal, whatever is written to it and however it is harmed: what is read is what was written, or nothing.

use chrono::DateTime;
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::line::Unreadable;
use super::*;
use crate::domain::{Cost, FallbackReason, Outcome, Provider, Route, TokenUsage, UnitPrices};
use crate::meter::log_line::{self, Read};

prop_compose! {
    fn tokens()(counts in any::<[u32; 7]>()) -> TokenUsage {
        let [input, output, cache_read, cache_creation, cache_creation_5m, cache_creation_1h, web_search_requests] = counts;
        TokenUsage { input, output, cache_read, cache_creation, cache_creation_5m, cache_creation_1h, web_search_requests }
    }
}

prop_compose! {
    fn cost()(digits in any::<[i32; 6]>(), scale in 0_u32..12, priced in any::<bool>()) -> Cost {
        let [usd, input, output, cache_read, cache_write_5m, cache_write_1h] =
            digits.map(|digits| Decimal::new(digits.into(), scale));
        Cost { usd, prices: UnitPrices { input, output, cache_read, cache_write_5m, cache_write_1h }, priced }
    }
}

prop_compose! {
    fn route()(
        fallback in proptest::option::of(prop_oneof![Just(FallbackReason::PlanLimit), Just(FallbackReason::Staying)]),
        [circuit, dropped] in any::<[Option<String>; 2]>(),
    ) -> Route {
        Route { fallback, circuit, dropped }
    }
}

prop_compose! {
    fn record()(
        ids in any::<[u128; 3]>(),
        (seconds, nanos) in (0_i64..4_000_000_000, 0_u32..1_000_000_000),
        (model, upstream_model) in (any::<String>(), any::<String>()),
        [upstream_message_id, session_id, agent_id] in any::<[Option<String>; 3]>(),
        (tokens, cost) in (tokens(), proptest::option::of(cost())),
        (estimated, is_fallback) in any::<(bool, bool)>(),
        (latency_ms, time_to_first_token_ms) in any::<(u32, Option<u32>)>(),
        route in route(),
        provider in prop_oneof![Just(Provider::Plan), Just(Provider::Bedrock)],
        outcome in prop_oneof![
            Just(Outcome::Completed), Just(Outcome::Cancelled), Just(Outcome::Failed), Just(Outcome::Truncated)
        ],
    ) -> UsageRecord {
        let [request_id, user_id, access_key_id] = ids.map(Uuid::from_u128);
        UsageRecord {
            request_id, timestamp: DateTime::from_timestamp(seconds, nanos).unwrap(), user_id, access_key_id, model,
            upstream_model, upstream_message_id, tokens, estimated, cost, provider, is_fallback, latency_ms,
            time_to_first_token_ms, outcome, session_id, agent_id, route,
        }
    }
}

fn in_folder<T>(max: u64, test: impl FnOnce(&Journal) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    test(&Journal::open_in(folder.path().to_owned(), max).unwrap())
}

fn segments(journal: &Journal) -> usize {
    journal.shared.folder.segments().unwrap().len()
}

proptest! {
    #[test]
    fn a_line_gives_back_its_record(record in record()) {
        let line = line::write(&record).unwrap();
        prop_assert_eq!(memchr::memchr(b'\n', &line), Some(line.len() - 1));
        prop_assert_eq!(line::read(&line), Ok(record));
    }

    #[test]
    fn a_line_that_is_cut_off_gives_nothing(record in record(), at in any::<proptest::sample::Index>()) {
        let line = line::write(&record).unwrap();
        prop_assert_eq!(line::read(&line[..at.index(line.len())]), Err(Unreadable::Damaged));
    }

    #[test]
    fn a_line_that_was_changed_gives_nothing(record in record(), at in any::<proptest::sample::Index>(), bit in 0..8) {
        let mut line = line::write(&record).unwrap();
        let at = at.index(line.len());
        line[at] ^= 1_u8 << bit;
        prop_assert!(line::read(&line).is_err());
    }

    #[test]
    fn a_line_of_the_log_gives_back_its_record(record in record(), before in "[a-z0-9 |-]{0,20}") {
        let written = log_of(&record);
        let Read::Record(read) = log_line::read(format!("{before}{written}").as_bytes()) else {
            return Err(TestCaseError::fail(written));
        };
        prop_assert_eq!(*read, record);
        let cut = &written.as_bytes()[..written.len() / 2];
        prop_assert!(!matches!(log_line::read(cut), Read::Record(_)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Over many small segments, in steps of any size, and with the process beginning anew in between.
    #[test]
    fn records_come_out_once_and_in_order(
        records in proptest::collection::vec(record(), 1..40),
        steps in proptest::collection::vec((1_usize..9, any::<bool>()), 40),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let begin = || Journal::open_in(folder.path().to_owned(), 1 << 20).unwrap();
        let mut journal = begin();
        let mut seen = Vec::new();
        let mut unwritten = records.iter();
        for (size, again) in steps {
            for record in unwritten.by_ref().take(size) {
                prop_assert!(journal.takes(record));
            }
            let batch = journal.read(journal.mark(), size).unwrap();
            journal.settle(batch.end, batch.lines, false).unwrap();
            seen.extend(batch.records);
            if again {
                drop(journal);
                journal = begin();
            }
            prop_assert_eq!(usize::try_from(journal.size().0).unwrap(), records.len() - unwritten.len() - seen.len());
        }
        while seen.len() < records.len() {
            let batch = journal.read(journal.mark(), 100).unwrap();
            journal.settle(batch.end, batch.lines, false).unwrap();
            seen.extend(batch.records);
        }
        journal.settle(journal.mark(), 0, true).unwrap();
        prop_assert_eq!(seen, records);
        prop_assert_eq!((journal.size(), segments(&journal)), ((0, 0), 0));
    }
}

fn log_of(record: &UsageRecord) -> String {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = crate::telemetry::subscriber(&"info".parse().unwrap(), move || writer.clone());
    tracing::subscriber::with_default(subscriber, || log_line::write(record, log_line::USAGE));
    String::from_utf8(std::mem::take(&mut *lines.0.lock().unwrap())).unwrap()
}

fn any_record() -> UsageRecord {
    use proptest::strategy::ValueTree as _;
    record().new_tree(&mut proptest::test_runner::TestRunner::deterministic()).unwrap().current()
}

/// What is full takes no more, and is of use again as soon as something has been stored.
#[test]
fn a_full_journal_has_room_again_when_something_is_stored() {
    let record = any_record();
    let max = 40 * line::write(&record).unwrap().len() as u64;
    in_folder(max, |journal| {
        assert_eq!((0..50).filter(|_| journal.takes(&record)).count(), 40);
        let (waiting, bytes) = journal.size();
        assert!(waiting == 40 && bytes <= max && segments(journal) > 10, "{waiting} records in {bytes} bytes");
        let batch = journal.read(journal.mark(), 30).unwrap();
        journal.settle(batch.end, batch.lines, false).unwrap();
        assert!(journal.size().1 < bytes / 2);
        assert!(journal.takes(&record));
        let rest = journal.read(journal.mark(), 100).unwrap();
        assert_eq!(rest.records.len(), 11);
    });
}

/// Each process has a sub-folder of its own; what one leaves behind is found by the others, and what runs is not.
#[test]
fn processes_share_a_folder_without_touching_each_other() {
    let (root, record) = (tempfile::tempdir().unwrap(), any_record());
    let begin = || Journal::open_in(root.path().to_owned(), 1 << 20).unwrap();
    let (first, second) = (begin(), begin());
    assert!(first.takes(&record) && second.takes(&record));
    assert!(first.left_behind().unwrap().is_empty());
    drop(second);
    let found = first.left_behind().unwrap();
    assert_eq!(found.len(), 1);
    let batch = read(&found[0], found[0].mark(), Position::LAST, 10).unwrap();
    assert_eq!(batch.records, [record]);
}

/// A segment that cannot be deleted without losing something that a newer version wrote stays under another name.
#[test]
fn what_a_newer_version_wrote_is_kept() {
    in_folder(1 << 20, |journal| {
        let record = any_record();
        let old = line::write(&record).unwrap();
        let newer = [b"{\"v\":2,", &old[7..]].concat();
        let damaged = b"no line of ours\n";
        let path = journal.shared.folder.segment(7);
        std::fs::write(&path, [&newer[..], &damaged[..], &old[..], b"{\"v\":1,\"crc\":\"0"].concat()).unwrap();
        let batch = read(&journal.shared.folder, journal.mark(), Position::LAST, 10).unwrap();
        assert_eq!((batch.records.len(), batch.lines), (1, 4));
        journal.shared.folder.delete_behind(batch.end, None).unwrap();
        assert!(!path.exists() && std::fs::read(path.with_extension("kept")).unwrap().starts_with(&newer));
    });
}
