//! How long an administrator waits for each read of the admin API, in a large database.

mod catalogue;
mod values;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use sqlx::{Connection as _, PgConnection};
use support::administrator::Call;
use support::process::ServeProcess;
use support::{Administrator, Surroundings};
use xtask::progress::step;

use crate::fill::{self, Filled, Size};
use crate::report::Report;
use crate::statistics::{quantile, range};
use catalogue::Read;

/// A read is called at least so often.
const AT_LEAST: usize = 20;
/// No read is called more often.
const AT_MOST: usize = 100;
/// So long; what is slower than that is called no more than it has to be.
const CALLED_FOR: Duration = Duration::from_secs(10);
/// An answer that takes longer has failed: longer than the longest that the service lets a report take.
const LONGEST: Duration = Duration::from_mins(2);

/// Fails where the document has a read that is not measured.
pub(crate) fn ensure_complete() -> Result<()> {
    let document = catalogue::document()?;
    let missing = catalogue::missing(&document);
    ensure!(missing.is_empty(), "reads that the benchmark does not know: {}", missing.join(", "));
    Ok(())
}

/// Calls every read of the catalogue, one after the other, and tells how long it took.
pub(crate) async fn measure(filled: &Filled) -> Result<Report> {
    let around = Surroundings::start().await.administered().with("DATABASE_URL", filled.url());
    // The proxy leaves the database as it is.
    let around = around.with("MINUTE_AGGREGATES_KEPT", "365d");
    let process = ServeProcess::start(&around).await;
    let administrator = Administrator::at(process.url()).logged_in().await;
    let mut database = PgConnection::connect(filled.url()).await.context("cannot reach the filled database")?;
    let mut report = describe(&filled.size().await?);
    for read in catalogue::reads() {
        step(format_args!("reading: {read}"));
        let calls = calls(&read, &administrator, &mut database).await.with_context(|| format!("cannot ask: {read}"))?;
        let took = call(&calls).await.with_context(|| format!("cannot read: {read}"))?;
        let (p95, longest) = (quantile(&took, 0.95), read.bound.longest().as_secs_f64() * 1e3);
        if p95 > longest {
            report.wrong.push(format!("{read}: p95 is {p95:.0} ms, and may be {longest:.0}"));
        }
        report.rows.push(row(&read, &took));
    }
    database.close().await?;
    process.signal(rustix::process::Signal::TERM);
    let code = process.exit_code().await;
    ensure!(code == Some(0), "the proxy ended with {code:?}");
    Ok(report)
}

fn describe(size: &Size) -> Report {
    Report {
        title: "Reads of the admin API".to_owned(),
        method: format!(
            "{} users with {} keys, {} rows in `token_usage`, {} in `usage_aggregates` and {} in `audit_log`. Over HTTP, one \
             after the other, each with other ids, up to {AT_MOST} times, at least {AT_LEAST} where that takes longer than \
             {} s, after one call that is not counted. Milliseconds until the whole answer was there.",
            fill::USERS,
            fill::USERS * fill::KEYS_OF_USER,
            size.rows,
            size.sums,
            size.deeds,
            CALLED_FOR.as_secs(),
        ),
        head: vec!["operation", "asked for", "p50", "p95", "longest", "calls"],
        ..Report::default()
    }
}

/// What is called, in turns.
async fn calls(read: &Read, administrator: &Administrator, database: &mut PgConnection) -> Result<Vec<Call>> {
    let mut columns = Vec::new();
    for parameter in &read.parameters {
        columns.push((parameter, parameter.values.read(read.operation, administrator, database).await?));
    }
    let call = |number: usize| {
        columns.iter().fold(administrator.call(read.operation), |call, (parameter, values)| {
            let value = &values[number % values.len()];
            if parameter.in_path { call.on(parameter.name, value) } else { call.query(parameter.name, value) }
        })
    };
    Ok((0..=AT_MOST).map(call).collect())
}

/// How long each call took; the first one is left out.
async fn call(calls: &[Call]) -> Result<Vec<f64>> {
    let (mut took, mut started) = (Vec::new(), Instant::now());
    for (number, call) in calls.iter().enumerate() {
        let request = call.request().timeout(LONGEST);
        let begun = Instant::now();
        let response = request.send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        let lasted = begun.elapsed();
        if !status.is_success() {
            bail!("the proxy answers {status}: {}", String::from_utf8_lossy(&body));
        }
        if number == 0 {
            started = Instant::now();
            continue;
        }
        took.push(lasted.as_secs_f64() * 1e3);
        if took.len() >= AT_LEAST && started.elapsed() > CALLED_FOR {
            break;
        }
    }
    Ok(took)
}

fn row(read: &Read, took: &[f64]) -> Vec<String> {
    let times = [quantile(took, 0.5), quantile(took, 0.95), range(took).1];
    let mut row = vec![read.operation.to_owned(), read.about.to_owned()];
    row.extend(times.map(|time| format!("{time:.1}")));
    row.push(took.len().to_string());
    row
}
