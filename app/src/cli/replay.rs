//! The role `usage-replay`: brings usage into the database that is in a journal or in a log only.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::environment::environment;
use crate::config::{DatabaseConfig, SecretName};
use crate::domain::UsageRecord;
use crate::meter::replay::{Found, Records, is_refusal};
use crate::store::{Database, StoreError};

/// Rows of one statement.
const BATCH: usize = 500;

/// Arguments of `usage-replay`.
#[derive(clap::Args, Debug)]
pub(super) struct ReplayArgs {
    /// Files of the journal (`*.jsonl`, `*.kept`) or logs of `serve`; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,
    /// Store nothing; say what would be stored.
    #[arg(long)]
    dry_run: bool,
}

/// What has been found so far.
#[derive(Default)]
struct Tally {
    found: u64,
    new: u64,
    refused: u64,
    unreadable: u64,
    /// What a run that stores nothing has counted as new; it can come again, in another line or file.
    counted: HashSet<uuid::Uuid>,
}

/// Reads the files one after the other and stores what is not known yet.
pub(super) async fn replay(args: ReplayArgs) -> anyhow::Result<ExitCode> {
    let mut env = environment(&[SecretName::Database]).await?;
    let config = DatabaseConfig::read(&mut env);
    env.finish()?;
    let database = Database::open(&config.context("DATABASE_URL is missing")?)?;
    database.reach().await?;
    let mut tally = Tally::default();
    for path in &args.files {
        let name = path.display();
        let file: Box<dyn BufRead + Send> = if path.as_os_str() == "-" {
            Box::new(BufReader::new(io::stdin()))
        } else {
            Box::new(BufReader::new(File::open(path).with_context(|| format!("cannot read {name}; does it exist?"))?))
        };
        let mut batch = Vec::with_capacity(BATCH);
        for found in Records::of(file) {
            match found.with_context(|| format!("cannot read {name} to its end"))? {
                Found::Record(record) => batch.push(*record),
                Found::Unreadable { line, why } => {
                    eprintln!("{name}, line {line}: a usage record cannot be read: {why}");
                    tally.unreadable += 1;
                }
            }
            if batch.len() == BATCH {
                tally.take(&database, &mut batch, args.dry_run).await?;
            }
        }
        tally.take(&database, &mut batch, args.dry_run).await?;
    }
    database.close().await;
    let Tally { found, new, refused, unreadable, .. } = tally;
    let (known, not_stored) = (found - new - refused, if args.dry_run { " (nothing was stored)" } else { "" });
    println!("new: {new}, known: {known}, refused: {refused}, unreadable: {unreadable}{not_stored}");
    Ok(if refused + unreadable == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Tally {
    /// Stores a batch; a record that the database refuses does not hold up the others.
    async fn take(&mut self, database: &Database, batch: &mut Vec<UsageRecord>, dry_run: bool) -> anyhow::Result<()> {
        self.found += batch.len() as u64;
        if dry_run {
            let known = database.known_usage(batch).await?;
            let ids = batch.drain(..).map(|record| record.request_id).filter(|id| !known.contains(id));
            self.new += ids.filter(|id| self.counted.insert(*id)).count() as u64;
            return Ok(());
        }
        match database.store_usage(batch).await {
            Ok(new) => self.new += new,
            Err(error) if is_refusal(&error) => self.take_one_by_one(database, batch).await?,
            Err(error) => {
                return Err(error).context("not everything has been stored; run it again, which does no harm");
            }
        }
        batch.clear();
        Ok(())
    }

    async fn take_one_by_one(&mut self, database: &Database, batch: &[UsageRecord]) -> Result<(), StoreError> {
        for record in batch {
            match database.store_usage(std::slice::from_ref(record)).await {
                Ok(new) => self.new += new,
                Err(error) if is_refusal(&error) => {
                    eprintln!("request {}: the database refuses it: {error}", record.request_id);
                    self.refused += 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
