//! Follows the database's login in Secrets Manager, so that a rotated password needs no restart.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::aws::Secrets;
use crate::config::SecretName;
use crate::domain::Secret;
use crate::store::Database;

/// How often the secret is read when all is well.
const READ_EVERY: Duration = Duration::from_mins(5);
/// How often it is tried whether the login still works; when it does not, the secret is read at once.
const TRY_EVERY: Duration = Duration::from_secs(5);

/// The task; it ends with this value.
#[derive(Debug)]
pub(super) struct Rotation(JoinHandle<()>);

impl Rotation {
    /// Starts it for these pools of connections to the same database, whose login is known as it is now.
    pub(super) fn start(secrets: Secrets, known: Secret, databases: Vec<Database>) -> Self {
        Self(tokio::spawn(follow(secrets, known, databases)))
    }
}

impl Drop for Rotation {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn follow(secrets: Secrets, mut known: Secret, databases: Vec<Database>) {
    let mut tries = tokio::time::interval(TRY_EVERY);
    tries.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut read, mut failing) = (Instant::now(), false);
    loop {
        tries.tick().await;
        let Some(first) = databases.first() else { return };
        let refused = first.refuses_login().await;
        if !refused && read.elapsed() < READ_EVERY {
            continue;
        }
        read = Instant::now();
        match secrets.settings(&[SecretName::Database]).await {
            Ok(settings) => {
                failing = false;
                let new = settings.into_values().find(|url| url.expose() != known.expose());
                let Some(url) = new else { continue };
                if databases.iter().all(|database| database.log_in_with(&url).is_ok()) {
                    tracing::info!("the database's login has changed; new connections use the new one");
                }
                known = url;
            }
            Err(error) if !std::mem::replace(&mut failing, true) => {
                tracing::warn!(%error, "the database's login cannot be looked up; the one that is known stays");
            }
            Err(_) => {}
        }
    }
}
