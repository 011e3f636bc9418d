//! Half an hour of everything that befalls a proxy: does it lose usage, memory, descriptors or threads?
//!
//! One process, a PostgreSQL that is stopped, cut off and slowed, upstreams that refuse and break off, and clients that leave,
//! dawdle and break off: the traffic of the group `chaos`, without kills, because the process is watched.

mod counts;
mod flat;
mod picture;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, stream};
use rustix::process::Signal;
use support::process::ServeProcess;
use support::traffic::{self, Bill, KEYS, Life, Load, Said, Server, Suffered, Visit, files_of_records, wish};
use support::{PATIENCE, Surroundings, TestDatabase, Upstream};
use tokio::time::Instant;
use xtask::bench::Arguments;
use xtask::progress::step;

use crate::machine;
use crate::process;
use crate::report::Report;
use flat::{STAYS_OPEN, judged};
use watch::{Sample, Watch};

/// Requests at a time.
const DEVELOPERS: u64 = 24;
/// The longest time in milliseconds for which a developer thinks, so that the load is what a task serves by day and not all
/// that a processor can do.
const THINKS: usize = 250;
/// So short that keys are asked about during outages.
const KEYS_TRUSTED: &str = "2s";
/// Connections to the database that the proxy may keep: its pool, that of the admin API, and the one that hears of changes.
const DATABASE_CONNECTIONS: usize = 10 + 4 + 1;
/// How many deviations are shown; the first ones are enough to find the cause.
const SHOWN: usize = 12;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Soak {
    /// The table.
    pub(crate) report: Report,
    /// The same over time, as SVG.
    pub(crate) picture: String,
    /// Where it was measured.
    pub(crate) machine: String,
}

/// What was seen while it ran.
#[derive(Debug)]
struct Run {
    visits: Vec<Visit>,
    suffered: Vec<Suffered>,
    began: Instant,
    samples: Vec<Sample>,
    before: Sample,
    after: Sample,
}

/// Runs it.
pub(crate) async fn measure(arguments: &Arguments) -> Result<Soak> {
    let lasts = Duration::from_secs(60 * u64::from(arguments.minutes));
    let seed = arguments.seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    step(format_args!("{} minutes of traffic; --seed {seed} makes the same decisions again", arguments.minutes));
    let server = Server::start().await;
    let around = Surroundings::with_database(TestDatabase::create_on(&server.url()).await).await;
    let mut around = around.with("KEY_CACHE_TTL", KEYS_TRUSTED);
    let keys: Vec<_> = stream::iter(0..KEYS.len()).then(|index| around.issue(wish(index))).collect().await;
    let arrivals = traffic::answer(&around, seed);
    let disk = tempfile::tempdir()?;
    let journal = [("USAGE_JOURNAL_DIR", disk.path().display().to_string())];
    let serving = ServeProcess::start_with(&around, &journal).await;

    let load = Load { seed, developers: DEVELOPERS, thinks: THINKS, arrivals, ended: Arc::default() };
    let watch = Watch { process: serving.id(), database: server.address().port(), ended: Arc::clone(&load.ended) };
    let (before, open_before) = (watch.look()?, process::open_by_name(serving.id())?);
    let life = Arc::new(Life::of(&serving, &keys).await);
    let fate = Arc::clone(&life.fate);
    let log_of_preparations = server.log().len();
    let began = Instant::now();
    let end = began + lasts;
    let outages = tokio::spawn(server.suffers_until(end, seed, well(lasts)));
    let watching = tokio::spawn(watch.clone().until(end));
    let visits = load.until(end, move |_| Arc::clone(&life)).await;
    let (server, suffered) = outages.await?;
    let samples = watching.await??;
    // Clients and upstreams go, and with them whatever the proxy keeps open for their sake.
    (around.plan, around.bedrock) = (Upstream::start().await, Upstream::start().await);
    let after = watch.look_until(PATIENCE, |now| now.descriptors <= before.descriptors + STAYS_OPEN).await?;
    let open_after = process::open_by_name(serving.id())?;
    let run = Run { visits, suffered, began, samples, before, after };

    serving.signal(Signal::TERM);
    let code = serving.slow_exit_code().await;
    let bill = Bill::of(seed, &run.visits, &keys, &around.database).await;
    let mut wrong = judged(&run.samples, &run.before, &run.after, DATABASE_CONNECTIONS);
    if run.after.descriptors > before.descriptors + STAYS_OPEN {
        wrong.push(format!("open before: {open_before:?}; after: {open_after:?}"));
    }
    wrong.extend((code != Some(0)).then(|| format!("the proxy ended with {code:?}")));
    wrong.extend(files_of_records(disk.path()).into_iter().map(|file| format!("{} was not stored", file.display())));
    wrong.extend(traffic::wrong(&bill, &around.database).await);
    wrong.extend(Said::in_logs(std::slice::from_ref(&fate.log), &around.database).await.wrong);
    wrong.extend(traffic::of_server(&server.log()[log_of_preparations..]));
    let verified = support::process::run(&["usage-verify"], around.environment(), "").await;
    wrong.extend((!verified.status.success()).then(|| format!("usage-verify: {verified:?}")));
    wrong.extend(proves_nothing(&bill, &run).map(str::to_owned));
    let deviations = bill.wrong.len();
    wrong.extend(bill.wrong.iter().take(SHOWN).cloned());
    wrong.extend((deviations > SHOWN).then(|| format!("and {} deviations more of the bill", deviations - SHOWN)));

    let machine = machine::describe(server.direct_url()).await.context("the database of the soak")?;
    let picture = picture::draw(&run);
    Ok(Soak { report: report(arguments, seed, &run, &bill, wrong), picture, machine })
}

/// For how long PostgreSQL is well between two outages, in milliseconds: often in a short run, and now and then in a long one.
fn well(lasts: Duration) -> std::ops::Range<usize> {
    let part = |of: u32, most: usize| usize::try_from((lasts / of).as_millis()).unwrap_or(most).min(most);
    part(30, 20_000)..part(12, 60_000)
}

/// Why the run says little, if it does.
fn proves_nothing(bill: &Bill, run: &Run) -> Option<&'static str> {
    let happened = [bill.whole_from_bedrock > 100, bill.whole_from_plan > 100, bill.estimates > 0, bill.failed > 0];
    let enough = happened.into_iter().all(|happened| happened) && !run.suffered.is_empty();
    (!enough).then_some("too little has happened to prove anything")
}

fn report(arguments: &Arguments, seed: u64, run: &Run, bill: &Bill, wrong: Vec<String>) -> Report {
    Report {
        title: "Soak".to_owned(),
        method: format!(
            "{} minutes of {DEVELOPERS} developers who think for up to {THINKS} ms between two requests; one proxy with a \
             usage journal, scripted upstreams, a PostgreSQL that is taken away now and then. Load, upstreams, proxy and \
             database share the machine. Memory, descriptors and threads are those of the process, looked at every second; \
             they are flat when the median of the last third is not above that of the first by more than the bound, the \
             first quarter of the run left out.",
            arguments.minutes
        ),
        head: vec!["what", "", "number"],
        rows: [
            counts::of_requests(seed, run),
            counts::of_faults(seed, run, bill),
            counts::of_rows(bill),
            flat::rows(run),
        ]
        .concat(),
        notes: vec![format!("Every decision follows from `--seed {seed}`, but for the clock's part in it.")],
        wrong,
    }
}
