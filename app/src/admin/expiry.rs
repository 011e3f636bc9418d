//! Ends what has an end: the grace periods of access keys that were replaced, and the memory of answers.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::store::{Actor, Database, StoreError};

/// How often. A key whose time is over is refused at once all the same; this removes its Bedrock key.
const EVERY: Duration = Duration::from_secs(5);
/// Rows of one statement.
const BATCH: u32 = 500;

/// The task.
#[derive(Debug)]
pub struct Expiry {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Expiry {
    /// Starts it.
    pub fn start(database: Database) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        // What is under way may be let go of anywhere: each statement is whole.
        let task = tokio::spawn(async move {
            stopped.run_until_cancelled(work(database)).await;
        });
        Self { stop, task }
    }

    /// Ends it.
    pub async fn stop(self) {
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::error!("the task that ends grace periods failed");
        }
    }
}

async fn work(database: Database) {
    let mut told_away = false;
    loop {
        match look(&database).await {
            Ok(()) => told_away = false,
            Err(error) => {
                if !std::mem::replace(&mut told_away, true) {
                    tracing::warn!(%error, "access keys whose grace period is over cannot be revoked for the moment");
                }
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn look(database: &Database) -> Result<(), StoreError> {
    // In the audit log it is the proxy itself that revokes them, at its own address.
    let name = "the end of the grace period".to_owned();
    let actor = Actor { name, address: IpAddr::V4(Ipv4Addr::LOCALHOST), request_id: Uuid::now_v7() };
    for access_key_id in database.end_rotations(&actor, BATCH).await? {
        tracing::info!(%access_key_id, "an access key is revoked: its grace period is over");
    }
    database.forget_answers(BATCH).await?;
    Ok(())
}
