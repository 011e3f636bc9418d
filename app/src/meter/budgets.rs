//! Monthly budgets: what each user has spent at Bedrock, followed in memory, so that no request waits for the database.

mod ledger;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::domain::budget::Standing;
use crate::domain::{ClientPrincipal, UsageRecord};
use crate::store::{Database, StoreError};
use ledger::Ledger;

/// How often the database is asked for what other instances have written, after [`AT_ONCE`]: every five seconds.
const EVERY: Duration = Duration::from_millis(4_950);
/// It is asked at once about a user who is new here or spends fast, but no more often than this.
const AT_ONCE: Duration = Duration::from_millis(50);
/// How long a start waits for the first answer.
const FIRST_LOOK: Duration = Duration::from_secs(3);

/// The spend of those who have a budget; cheap to clone.
#[derive(Clone, Debug)]
pub struct Budgets {
    ledger: Arc<Mutex<Ledger>>,
    ask_now: Arc<Notify>,
}

/// The task that asks the database.
#[derive(Debug)]
pub struct BudgetsTask {
    stop: CancellationToken,
    task: JoinHandle<()>,
    looked: watch::Receiver<bool>,
}

impl Budgets {
    /// Starts to ask the database.
    pub fn start(database: Database) -> (Self, BudgetsTask) {
        let budgets = Self { ledger: Arc::default(), ask_now: Arc::default() };
        let stop = CancellationToken::new();
        let (told, looked) = watch::channel(false);
        let (following, stopped) = (budgets.clone(), stop.clone());
        let task = tokio::spawn(async move {
            // It only reads, so it may be let go of anywhere.
            stopped.run_until_cancelled(following.follow(database, told)).await;
        });
        (budgets, BudgetsTask { stop, task, looked })
    }

    /// Whether Bedrock may be asked for this holder. A user whose spend is not known yet may.
    pub fn check(&self, principal: &ClientPrincipal, now: DateTime<Utc>) -> Standing {
        let Some(limit) = principal.monthly_budget_usd else { return Standing::Open };
        let (standing, is_new) = self.lock().check(principal.user_id, limit, now, Instant::now());
        if is_new {
            self.ask_now.notify_one();
        }
        self.tell(principal.user_id);
        standing
    }

    /// A request has cost something; it counts at once.
    pub fn record(&self, record: &UsageRecord) {
        if self.lock().record(record, Utc::now()) {
            self.ask_now.notify_one();
        }
        self.tell(record.user_id);
    }

    fn tell(&self, user_id: Uuid) {
        let passed = self.lock().passes(user_id);
        if let Some(passed) = passed {
            tracing::info!(
                user_id = %passed.user_id,
                percent = passed.percent,
                spent_usd = %passed.spent.normalize(),
                budget_usd = %passed.limit.normalize(),
                "a monthly budget is nearly or wholly spent"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn follow(self, database: Database, told: watch::Sender<bool>) {
        let mut away = false;
        loop {
            let refreshed = self.refresh(&database).await;
            told.send_replace(true);
            if let Err(error) = &refreshed
                && !away
            {
                tracing::warn!(%error, "what users have spent cannot be read; budgets count what is known");
            }
            away = refreshed.is_err();
            tokio::time::sleep(AT_ONCE).await;
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.ask_now.notified() => {}
            }
        }
    }

    async fn refresh(&self, database: &Database) -> Result<(), StoreError> {
        let now = Utc::now();
        let question = self.lock().question(now, Instant::now());
        if let Some((users, records)) = question {
            let spend = database.spend(now, &users, &records).await?;
            let ask_again = self.lock().answered(&users, spend);
            if ask_again {
                self.ask_now.notify_one();
            }
        }
        Ok(())
    }
}

impl BudgetsTask {
    /// Waits for the first answer of the database, a few seconds at the most.
    pub async fn first_look(&mut self) {
        // An error says that it takes longer, or that the task has ended; then there is nothing to wait for.
        let _ = tokio::time::timeout(FIRST_LOOK, self.looked.wait_for(|looked| *looked)).await;
    }

    /// Ends it.
    pub async fn stop(self) {
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::error!("the task that follows budgets failed");
        }
    }
}
