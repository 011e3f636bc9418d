//! What there was: requests, faults and rows, by kind.

use std::collections::BTreeMap;

use support::traffic::{Bill, Case, Ending, Kind, Leaves};

use super::Run;

type Rows = Vec<Vec<String>>;

fn table(title: &str, counts: BTreeMap<String, usize>) -> Rows {
    let mut title = Some(title.to_owned());
    counts.into_iter().map(|(what, number)| vec![title.take().unwrap_or_default(), what, number.to_string()]).collect()
}

/// Requests by what was asked and who answered.
pub(super) fn of_requests(seed: u64, run: &Run) -> Rows {
    let mut counts = BTreeMap::<String, usize>::new();
    for visit in &run.visits {
        let case = Case::of(seed, visit.number);
        let provider = visit.head.as_ref().map_or("", |head| head.provider.as_str());
        let kind = match (case.kind, case.stream) {
            (Kind::Message, true) => "messages, streamed",
            (Kind::Message, false) => "messages, whole",
            (Kind::Native, true) => "in Bedrock's format, streamed",
            (Kind::Native, false) => "in Bedrock's format, whole",
            (Kind::Count | Kind::NativeCount, _) => "counts of tokens",
            (Kind::WrongKey, _) => "with a wrong key",
            (Kind::BrokenUpload, _) => "of which only half was sent",
        };
        let by = match (case.kind, provider) {
            (Kind::Message, "plan") => ", by the plan",
            (Kind::Message, "bedrock") => ", by Bedrock",
            (Kind::Message, _) => ", left before",
            _ => "",
        };
        *counts.entry(format!("{kind}{by}")).or_default() += 1;
        if case.size >= 100_000 {
            *counts.entry("of all: bodies of 100 KB to 1 MB".to_owned()).or_default() += 1;
        }
    }
    counts.insert("of all: all".to_owned(), run.visits.len());
    table("requests", counts)
}

/// Faults by kind.
pub(super) fn of_faults(seed: u64, run: &Run, bill: &Bill) -> Rows {
    let mut counts = BTreeMap::<String, usize>::new();
    let mut count = |what: String| *counts.entry(what).or_default() += 1;
    for visit in &run.visits {
        let case = Case::of(seed, visit.number);
        if let Some(head) = visit.head.as_ref().filter(|head| !head.fallback.is_empty()) {
            count(format!("the plan: {}", head.fallback));
        }
        match (&visit.ending, visit.head.as_ref().map(|head| head.provider.as_str())) {
            (Ending::Failed, Some("plan")) => count("the plan: broke off".to_owned()),
            (Ending::Failed, _) => count(format!("Bedrock: {}", ended(&case))),
            (Ending::Left(_), _) => count(format!("the client left {}", left(&case))),
            _ if case.slow => count("the client was slow to read 480 KB".to_owned()),
            _ => {}
        }
    }
    for one in &run.suffered {
        count(format!("PostgreSQL: {:?}", one.outage));
    }
    counts.insert("of all: answers that failed".to_owned(), bill.failed);
    table("faults", counts)
}

fn ended(case: &Case) -> &'static str {
    match case.ends {
        support::traffic::Ends::Exception(_) => "an exception in mid-stream",
        _ if case.stream => "cut in mid-stream",
        _ => "cut in a whole answer",
    }
}

fn left(case: &Case) -> &'static str {
    match case.leaves {
        Leaves::BeforeTheAnswer => "before the answer",
        Leaves::InSilence(_) => "in silence",
        Leaves::InMidStream(_) | Leaves::Never => "in mid-stream",
    }
}

/// Rows of usage.
pub(super) fn of_rows(bill: &Bill) -> Rows {
    let counts = [
        ("all", bill.rows),
        ("of whole answers", usize::try_from(bill.completed.0).unwrap_or(usize::MAX)),
        ("estimates", bill.estimates),
        ("missing, wrong or too many", bill.wrong.len()),
    ];
    let mut title = Some("rows".to_owned());
    let row =
        |(what, number): (&str, usize)| vec![title.take().unwrap_or_default(), what.to_owned(), number.to_string()];
    counts.map(row).into()
}
