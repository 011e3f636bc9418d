//! Reports take turns, so that short operations always find a connection to the database.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::admin::problem::{Kind, Problem};
use crate::store::{REPORT_TIMEOUT, StoreError};

/// Reports that wait at the most.
const WAITING: usize = 20;
/// How long a report waits for its turn.
const WAIT: Duration = Duration::from_secs(10);
/// How long an answer waits that has begun: two reports before it may take their time, and a broken body helps nobody.
const WAIT_ON: Duration = Duration::from_mins(1);

/// Whose turn it is.
#[derive(Debug)]
pub struct Turns {
    reading: Semaphore,
    waiting: Semaphore,
}

impl Turns {
    /// With half of so many connections, so that something short finds one.
    pub fn with_half_of(connections: u32) -> Self {
        let at_a_time = usize::try_from(connections / 2).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        Self { reading: Semaphore::new(at_a_time), waiting: Semaphore::new(WAITING) }
    }

    /// Waits for a turn; it ends with what is returned.
    ///
    /// # Errors
    /// When others take too long.
    pub(super) async fn take(&self) -> Result<SemaphorePermit<'_>, Problem> {
        if let Ok(turn) = self.reading.try_acquire() {
            return Ok(turn);
        }
        let _place = self.waiting.try_acquire().map_err(|_| busy())?;
        self.wait(WAIT).await
    }

    /// Waits for another turn of an answer that has begun. It needs no place: those are for answers that can be refused.
    ///
    /// # Errors
    /// When others take far too long.
    pub(super) async fn take_another(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.wait(WAIT_ON).await
    }

    async fn wait(&self, time: Duration) -> Result<SemaphorePermit<'_>, Problem> {
        let turn = tokio::time::timeout(time, self.reading.acquire()).await;
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

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn half_of_the_connections_are_left() {
        for (connections, expected) in [(1, 1), (2, 1), (3, 1), (4, 2), (10, 5)] {
            assert_eq!(Turns::with_half_of(connections).reading.available_permits(), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_begun_waits_longer_than_what_can_be_refused() {
        let turns = Turns::with_half_of(4);
        let taken = [turns.take().await.unwrap(), turns.take().await.unwrap()];
        let refused = |waited: Result<SemaphorePermit<'_>, Problem>| waited.is_err_and(|it| it.code == "reports_busy");
        let begun = tokio::time::Instant::now();
        // One more than there are places for.
        let others = join_all((0..=WAITING).map(|_| turns.take()));
        let (others, another, ()) = tokio::join!(others, turns.take_another(), async {
            tokio::time::sleep(WAIT * 4).await;
            drop(taken);
        });
        assert!(others.into_iter().all(refused));
        assert!(another.is_ok());
        assert_eq!(begun.elapsed(), WAIT * 4);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_waits_for_ever() {
        let turns = Turns::with_half_of(2);
        let _taken = turns.take().await.unwrap();
        let begun = tokio::time::Instant::now();
        assert!(turns.take().await.is_err() && begun.elapsed() == WAIT);
        assert!(turns.take_another().await.is_err() && begun.elapsed() == WAIT + WAIT_ON);
    }
}
