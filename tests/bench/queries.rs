//! How long each query on usage takes in a large database, and that an index answers it.

mod cache;
mod catalogue;
mod explain;
mod plan;

use std::time::Duration;

use anyhow::{Result, ensure};
use xtask::progress::step;

use crate::fill::{self, Filled, Size};
use crate::report::Report;
use crate::statistics::median;
use cache::Cache;
use catalogue::Question;
use explain::{Asked, Planning};
use plan::Plan;

/// No query reads more than this part of both tables; the month of a year that is verified at a time is less.
const LARGEST_PART: u64 = 10;
/// A query is repeated until it has been measured so often, or for so long.
const REPEATED: usize = 7;
const REPEATED_FOR: Duration = Duration::from_secs(15);

/// Fails where there is a query on usage that the catalogue does not have.
pub(crate) fn ensure_complete() -> Result<()> {
    let cache = Cache::read()?;
    let missing = catalogue::missing(&cache);
    ensure!(missing.is_empty(), "queries on usage that the benchmark does not know:\n  {}", missing.join("\n  "));
    Ok(())
}

/// Asks every question of the catalogue, and tells what came of it.
pub(crate) async fn measure(filled: &Filled) -> Result<Report> {
    let cache = Cache::read()?;
    let mut asked = Asked::open(filled.url(), cache.find(catalogue::REPORT_SETTINGS)?).await?;
    let size = filled.size().await?;
    let most = (size.rows + size.sums).unsigned_abs() / LARGEST_PART;
    let mut report = describe(&size);
    for question in catalogue::questions() {
        step(format_args!("asking: {}", question.name));
        let statement = cache.find(question.part)?;
        let (first, later) = if question.is_of_a_report {
            (asked.measure(&question, statement, Planning::AsReport).await?, Vec::new())
        } else {
            let first = asked.measure(&question, statement, Planning::ForParameters).await?;
            (first, asked.measure(&question, statement, Planning::ForAny).await?)
        };
        report.rows.push(row(&question, &first, &later));
        for (plans, when) in [(&first, "planned for its parameters"), (&later, "planned for any parameters")] {
            report
                .wrong
                .extend(complaints(&question, plans, most).map(|wrong| format!("{} ({when}): {wrong}", question.name)));
        }
    }
    asked.close().await?;
    report.notes.extend(
        catalogue::READ_EVERYTHING
            .iter()
            .map(|exception| format!("Not measured: {}. It {}.", exception.name, exception.reason)),
    );
    Ok(report)
}

fn describe(size: &Size) -> Report {
    Report {
        title: "Queries on usage".to_owned(),
        method: format!(
            "{} rows in `token_usage` ({} with indexes) and {} in `usage_aggregates` ({}), of {} users with {} keys over twelve \
             months. Each query is prepared, as the service has it, and measured by `EXPLAIN (ANALYZE, BUFFERS)`: the median of \
             several, after one that is not counted; what it writes is rolled back, and the commit is not in the time. \
             PostgreSQL plans a prepared query for its parameters the first five times, and may then take one plan for any \
             parameters: both are measured, but for reports, which are planned each time.",
            size.rows,
            size.space_of_rows,
            size.sums,
            size.space_of_sums,
            fill::USERS,
            fill::USERS * fill::KEYS_OF_USER,
        ),
        head: vec!["query", "ms", "ms, any parameters", "pages read", "indexes"],
        ..Report::default()
    }
}

fn row(question: &Question, first: &[Plan], later: &[Plan]) -> Vec<String> {
    let time = |plans: &[Plan]| {
        let times: Vec<f64> = plans.iter().map(|plan| plan.took_ms).collect();
        if times.is_empty() { "-".to_owned() } else { format!("{:.2}", median(&times)) }
    };
    let pages = first.last().map_or(0, |plan| plan.pages);
    let mut indexes: Vec<_> = first.iter().chain(later).flat_map(|plan| plan.indexes.iter().cloned()).collect();
    indexes.sort_unstable();
    indexes.dedup();
    vec![question.name.to_owned(), time(first), time(later), pages.to_string(), indexes.join(", ")]
}

fn complaints<'p>(question: &'p Question, plans: &'p [Plan], most: u64) -> impl Iterator<Item = String> + 'p {
    let wrong = plans.last().map(|plan| plan.complaints(most)).unwrap_or_default();
    let found = plans.iter().any(|plan| plan.found > 0) && question.finds_nothing;
    wrong.into_iter().chain(found.then(|| "finds what is not there, so the sums of the benchmark are wrong".to_owned()))
}
