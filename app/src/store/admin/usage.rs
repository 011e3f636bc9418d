//! Reads usage for reports. Each is a transaction that sees one state of the database and whose statements have to end.

mod costs;
mod list;
mod range;
mod sums;
mod top;

use std::time::Duration;

use sqlx::{Postgres, Transaction};
use uuid::Uuid;

pub use costs::CostRow;
pub use list::{UsageListFilter, UsageRow, UsageRowKey};
pub use range::{Buckets, ReportClock, ReportEnd};
pub use sums::{UsageGrouping, UsagePoint, UsageSource, UsageSums};
pub use top::{TopOrder, TopUser};

use crate::store::{Database, StoreError};

/// Time for a statement of a report.
pub const REPORT_TIMEOUT: Duration = Duration::from_secs(30);
/// SQLSTATE of a statement that took too long.
const QUERY_CANCELED: &str = "57014";

/// Whose usage a report is about; what is `None` does not matter.
#[derive(Clone, Default, Debug)]
pub struct UsageFilter {
    /// Of this user.
    pub user_id: Option<Uuid>,
    /// With this access key.
    pub access_key_id: Option<Uuid>,
    /// Served by this one.
    pub provider: Option<&'static str>,
    /// Asking for this model.
    pub model: Option<String>,
}

/// A report that is being read.
#[derive(Debug)]
pub struct UsageReader {
    transaction: Transaction<'static, Postgres>,
}

impl Database {
    /// Begins to read a report.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn read_usage(&self) -> Result<UsageReader, StoreError> {
        let mut transaction = self.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        // A filter that is not given must cost nothing: the planner has to see which ones are, and so plans each time. And
        // a report takes as long as its range asks for, however much there is beside it: no table is read whole.
        sqlx::query!(
            "SELECT set_config('statement_timeout', $1, TRUE) AS timeout,
                    set_config('plan_cache_mode', 'force_custom_plan', TRUE) AS planning,
                    set_config('enable_seqscan', 'off', TRUE) AS scanning,
                    set_config('jit', 'off', TRUE) AS compiling",
            REPORT_TIMEOUT.as_millis().to_string()
        )
        .fetch_one(&mut *transaction)
        .await?;
        Ok(UsageReader { transaction })
    }
}

/// Waits for a statement, a little longer than the server lets it run.
async fn in_time<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    match tokio::time::timeout(REPORT_TIMEOUT + Duration::from_secs(2), work).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(sqlx::Error::Database(error))) if error.code().as_deref() == Some(QUERY_CANCELED) => {
            Err(StoreError::Timeout(REPORT_TIMEOUT))
        }
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(StoreError::Timeout(REPORT_TIMEOUT)),
    }
}
