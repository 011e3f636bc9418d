//! Reports take turns, so that short operations always find a connection to the database.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::admin::problem::{Kind, Problem};
use crate::store::{REPORT_TIMEOUT, StoreError};

/// Reports that read at a time: half of the connections that the admin API has.
const AT_A_TIME: usize = 2;
/// Reports that wait at the most.
const WAITING: usize = 20;
/// How long a report waits for its turn.
const WAIT: Duration = Duration::from_secs(10);

/// Whose turn it is.
#[derive(Debug)]
pub struct Turns {
    reading: Semaphore,
    waiting: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self { reading: Semaphore::new(AT_A_TIME), waiting: Semaphore::new(WAITING) }
    }
}

impl Turns {
    /// Waits for a turn; it ends with what is returned.
    ///
    /// # Errors
    /// When others take too long.
    pub(super) async fn take(&self) -> Result<SemaphorePermit<'_>, Problem> {
        if let Ok(turn) = self.reading.try_acquire() {
            return Ok(turn);
        }
        let _place = self.waiting.try_acquire().map_err(|_| busy())?;
        let turn = tokio::time::timeout(WAIT, self.reading.acquire()).await;
        turn.ok().and_then(Result::ok).ok_or_else(busy)
    }
}

fn busy() -> Problem {
    let message = "Other reports are being read, and there is no end of them in sight. Try again soon.";
    Problem::new(Kind::TooOften, "reports_busy", message).after(WAIT.as_secs())
}

/// Why a report cannot be read.
pub(super) fn unread(error: StoreError) -> Problem {
    match error {
        StoreError::Timeout(_) => {
            let seconds = REPORT_TIMEOUT.as_secs();
            tracing::warn!(seconds, "a report took too long and was given up");
            let message =
                format!("The report takes more than {seconds} s. Ask for a shorter range, or for one user or key.");
            Problem::new(Kind::Away, "report_too_long", message).after(seconds)
        }
        other => other.into(),
    }
}
