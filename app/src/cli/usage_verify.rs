//! The role `usage-verify`: are the sums of usage those of its rows?

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::environment::environment;
use crate::config::{DatabaseConfig, ReportConfig, SecretName};
use crate::store::{Database, Difference, Found, Verification};

pub(super) const HELP: &str = "\
Needs DATABASE_URL, and REPORT_TIMEZONE and MINUTE_AGGREGATES_KEPT as `serve` has them. May run beside `serve` at any \
time. Differences go to standard output, one a line; what else there is to say goes to standard error. Sums by the minute \
that are older than MINUTE_AGGREGATES_KEPT are not compared.

Exit code 0: all sums are right, or were made anew. 1: some were not, whether they are now or not, or it failed.";

/// How often a long run says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// Arguments of `usage-verify`.
#[derive(clap::Args, Debug)]
pub(super) struct VerifyArgs {
    /// Compare only the days, weeks and months from this moment on, such as 2026-03-01T00:00:00Z; the one that it is in
    /// is compared whole.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<DateTime<Utc>>,
    /// Compare only those that begin before this moment.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<DateTime<Utc>>,
    /// Correct what differs: a transaction for each day, week and month, and no writer waits for it.
    #[arg(long)]
    repair: bool,
    /// Make all sums anew, in the zone of REPORT_TIMEZONE from then on. Until it is done, readers see the old sums, and
    /// usage waits in the running proxies; requests do not.
    #[arg(long, conflicts_with_all = ["from", "to", "repair"])]
    rebuild: bool,
}

fn moment(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let moment = DateTime::parse_from_rfc3339(text).map_err(|_| "write it like 2026-03-01T00:00:00Z")?;
    Ok(moment.to_utc())
}

/// Compares, and corrects if that is asked for.
pub(super) async fn usage_verify(args: VerifyArgs) -> anyhow::Result<ExitCode> {
    let mut env = environment(&[SecretName::Database]).await?;
    let database = DatabaseConfig::read(&mut env);
    let reports = ReportConfig::read(&mut env);
    env.finish()?;
    let database = Database::open(&database.context("DATABASE_URL is missing")?)?;
    let reports = reports.context("REPORT_TIMEZONE is missing")?;
    database.reach().await?;
    if args.rebuild {
        return rebuild(&database, &reports).await;
    }
    let zone = database.usage_zone().await.context("the sums cannot be read (has `migrate` been run?)")?;
    let what = Verification { from: args.from, to: args.to, minutes_kept: reports.minutes_kept, repair: args.repair };
    let mut report = Report::new(zone.parse().unwrap_or(Tz::UTC));
    let whole = database.verify_usage(what, |found| report.take(found)).await.context("the comparison has stopped")?;
    anyhow::ensure!(whole, "the sums were made anew in another zone meanwhile; run this again");
    let Report { windows, differences, .. } = report;
    match (differences, args.repair) {
        (0, _) => eprintln!("{windows} windows compared; all sums are those of their rows"),
        (_, true) => eprintln!("{windows} windows compared; {differences} differences, corrected"),
        (_, false) => eprintln!("{windows} windows compared; {differences} differences; --repair corrects them"),
    }
    let same_zone = zone == reports.zone.name();
    if !same_zone {
        let wanted = reports.zone.name();
        eprintln!(
            "The sums are in the zone {zone} and REPORT_TIMEZONE is {wanted}; --rebuild makes them anew in {wanted}."
        );
    }
    Ok(if differences == 0 && same_zone { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn rebuild(database: &Database, reports: &ReportConfig) -> anyhow::Result<ExitCode> {
    let zone = reports.zone.name();
    let mut report = Report::new(reports.zone);
    let made = database
        .rebuild_usage(zone, reports.minutes_kept, |found| report.take(found))
        .await
        .context("the sums stay as they were (has `migrate` been run?)")?;
    anyhow::ensure!(
        made,
        "the database server does not know the zone {zone} of REPORT_TIMEZONE; renew its time zones, or take one that it \
         has in pg_timezone_names"
    );
    eprintln!("all sums are made anew, in the zone {zone}: {} windows", report.windows);
    Ok(ExitCode::SUCCESS)
}

/// What has been found so far.
struct Report {
    zone: Tz,
    windows: u64,
    differences: u64,
    said_at: Instant,
}

impl Report {
    fn new(zone: Tz) -> Self {
        Self { zone, windows: 0, differences: 0, said_at: Instant::now() }
    }

    fn take(&mut self, found: Found) {
        match found {
            Found::Window(length, start) => {
                if self.said_at.elapsed() >= PROGRESS_EVERY {
                    self.said_at = Instant::now();
                    let Self { windows, differences, .. } = self;
                    let start = start.with_timezone(&self.zone).date_naive();
                    eprintln!("{windows} windows, {differences} differences; the {length} of {start} is next");
                }
                self.windows += 1;
            }
            Found::Difference(difference) => {
                if self.differences == 0 {
                    println!(
                        "{}",
                        row(["bucket", "start", "user", "access key", "provider", "field", "stored", "computed"])
                    );
                }
                self.differences += 1;
                println!("{}", self.line(&difference));
            }
        }
    }

    fn line(&self, found: &Difference) -> String {
        let key = found.access_key_id.map_or_else(|| "all keys".to_owned(), |key| key.to_string());
        row([
            &found.bucket,
            &found.start.with_timezone(&self.zone).to_rfc3339(),
            &found.user_id.to_string(),
            &key,
            &found.provider,
            &found.field,
            &found.stored.to_string(),
            &found.computed.to_string(),
        ])
    }
}

/// Columns below each other.
fn row([bucket, start, user, key, provider, field, stored, computed]: [&str; 8]) -> String {
    format!("{bucket:<6}  {start:<25}  {user:<36}  {key:<36}  {provider:<8}  {field:<24}  {stored:>12}  {computed:>12}")
}
