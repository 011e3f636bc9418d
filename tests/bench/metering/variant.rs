//! A proxy that records usage, and one that does not, each with upstreams and a database of its own.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use claude_code_proxy::domain::RoutingStrategy;
use rustix::process::Signal;
use support::process::ServeProcess;
use support::{KeyWish, Reply, ServerEvent, Surroundings, frames, http_client};

use super::Provider;
use super::load::{Load, Took, answer};
use crate::statistics::quantile;

/// Users with a key each, so that sums of several are written.
const USERS: usize = 20;
/// All rows of a round have to be in the database by then.
const STORED_WITHIN: Duration = Duration::from_mins(1);

/// Whether usage is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    Yes,
    No,
}

/// What came of a round, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) first_byte_p50: f64,
    /// What the proxy took of the processor for a request, those that are not counted included.
    pub(super) processor: f64,
}

/// A running proxy.
#[derive(Debug)]
pub(super) struct Variant {
    recorded: Recorded,
    process: ServeProcess,
    around: Surroundings,
    http: reqwest::Client,
    plan: Vec<String>,
    bedrock: Vec<String>,
    // Held for its drop.
    _journal: tempfile::TempDir,
}

impl Variant {
    /// Starts it.
    pub(super) async fn start(recorded: Recorded, folder: &Path) -> Result<Self> {
        let journal = tempfile::tempdir_in(folder)?;
        let mut around = Surroundings::start().await;
        if recorded == Recorded::Yes {
            around = around.with("METER_PLAN", "true").with("USAGE_JOURNAL_DIR", journal.path().to_string_lossy());
        }
        around.plan.forget_requests();
        around.bedrock.forget_requests();
        let events: Vec<_> = answer().to_events().iter().map(ServerEvent::to_bytes).collect();
        around.plan.otherwise(move |_| Reply::chunks(events.clone()).as_plan_stream());
        let frames = frames::bedrock_stream(&answer());
        around.bedrock.otherwise(move |request| match request.method.as_str() {
            "POST" => Reply::chunks(frames.clone()).as_bedrock_stream(),
            _ => Reply::json(200, r#"{"inferenceProfileSummaries":[]}"#),
        });
        let process = ServeProcess::start(&around).await;
        let (mut plan, mut bedrock) = (Vec::new(), Vec::new());
        for _ in 0..USERS {
            for (routing, addresses) in
                [(RoutingStrategy::PlanFirst, &mut plan), (RoutingStrategy::BedrockOnly, &mut bedrock)]
            {
                addresses.push(format!("{}/ak/{}", process.url(), around.issue(KeyWish::routed(routing)).await.text));
            }
        }
        Ok(Self { recorded, process, around, http: http_client(), plan, bedrock, _journal: journal })
    }

    /// Measures one round, and leaves nothing of it to be done during the next one.
    pub(super) async fn round(&self, provider: Provider, load: Load) -> Result<Round> {
        let (addresses, stored) = match (provider, self.recorded) {
            (Provider::Plan, Recorded::No) => (&self.plan, 0),
            (Provider::Plan, Recorded::Yes) => (&self.plan, load.requests().0),
            (Provider::Bedrock, _) => (&self.bedrock, load.requests().0),
        };
        let before = self.rows().await?;
        let mut lock = None;
        if (provider, self.recorded) == (Provider::Bedrock, Recorded::No) {
            let mut transaction = self.around.database.pool.begin().await?;
            // Writers wait; budgets are read on.
            sqlx::query("LOCK TABLE token_usage IN SHARE MODE").execute(&mut *transaction).await?;
            lock = Some(transaction);
        }
        let used = self.process.processor_time();
        let took = load.run(&self.http, addresses).await?;
        let used = self.process.processor_time().saturating_sub(used);
        if let Some(transaction) = lock {
            ensure!(self.rows().await? == before, "rows were stored in a round in which none should be");
            transaction.rollback().await?;
        }
        self.until_rows(before + i64::from(stored)).await?;
        Ok(Round::of(&took, used / load.requests().0))
    }

    /// Ends it, with everything stored.
    pub(super) async fn stop(self) -> Result<()> {
        self.process.signal(Signal::TERM);
        let code = self.process.exit_code().await;
        ensure!(code == Some(0), "the proxy ended with {code:?}");
        Ok(())
    }

    async fn rows(&self) -> Result<i64> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM token_usage").fetch_one(&self.around.database.pool).await?)
    }

    async fn until_rows(&self, expected: i64) -> Result<()> {
        let deadline = Instant::now() + STORED_WITHIN;
        loop {
            let rows = self.rows().await?;
            if rows == expected {
                return Ok(());
            }
            ensure!(
                rows < expected && Instant::now() < deadline,
                "{rows} rows are stored and {expected} were expected within {} s",
                STORED_WITHIN.as_secs()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Round {
    fn of(took: &[Took], processor: Duration) -> Self {
        let ms = |of: fn(&Took) -> Duration| took.iter().map(|took| of(took).as_secs_f64() * 1e3).collect::<Vec<_>>();
        let (whole, first_byte) = (ms(|took| took.whole), ms(|took| took.first_byte));
        Self {
            p50: quantile(&whole, 0.5),
            p99: quantile(&whole, 0.99),
            first_byte_p50: quantile(&first_byte, 0.5),
            processor: processor.as_secs_f64() * 1e3,
        }
    }
}
