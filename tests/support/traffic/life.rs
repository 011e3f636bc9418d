//! A process of the proxy, from its start to its end, as its clients know it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Method;
use tokio::time::Instant;

use super::Log;
use crate::evidence::secret;
use crate::process::ServeProcess;
use crate::{Client, IssuedKey, PATIENCE, try_get};

/// A proxy that comes back while the database is away knows its keys when that is over.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(6 * PATIENCE.as_secs());
/// Logins for the plan, which knows no other borders: so many that none is refused for long after the failures of others.
const LOGINS: usize = 97;

/// A process, from its start to its end.
pub struct Life {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// One for each key.
    pub clients: Vec<Client>,
    /// Somebody without a key.
    pub stranger: Client,
    /// What developers log in to the plan with, whichever key they have.
    pub logins: Vec<String>,
    /// What remains of it.
    pub fate: Arc<Fate>,
}

/// What is known of a process when nobody is connected with it any more.
#[derive(Debug)]
pub struct Fate {
    /// When it was killed.
    pub killed_at: OnceLock<Instant>,
    /// Its log.
    pub log: Log,
}

impl std::fmt::Debug for Life {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The clients are left out: they have access keys.
        formatter.debug_struct("Life").field("fate", &self.fate).finish_non_exhaustive()
    }
}

impl Life {
    /// That of a process that has just been started; waits until it knows these keys.
    pub async fn of(process: &ServeProcess, keys: &[IssuedKey]) -> Self {
        let client = |key: &IssuedKey| Client::at(format!("{}/ak/{}", process.url(), key.text));
        let clients: Vec<_> = keys.iter().map(client).collect();
        for client in &clients {
            let known = tokio::time::timeout(COMES_BACK_WITHIN, knows_its_key(client)).await;
            let path = process.log_path().display();
            assert!(known.is_ok(), "{path}: a key is not known {COMES_BACK_WITHIN:?} after the start");
        }
        let path = process.log_path().to_owned();
        let log = Log { before: path.metadata().unwrap().len(), path };
        let login = |_| secret(format!("sk-ant-oat01-{}", uuid::Uuid::new_v4().simple()));
        Self {
            url: process.url().to_owned(),
            clients,
            stranger: Client::at(process.url().to_owned()),
            logins: (0..LOGINS).map(login).collect(),
            fate: Arc::new(Fate { killed_at: OnceLock::new(), log }),
        }
    }
}

/// Waits until the key is looked up. It is not yet when the database is away.
async fn knows_its_key(client: &Client) {
    loop {
        let got = try_get(client.request(Method::GET, "/v1/models")).await.unwrap();
        match got.status {
            200 => return,
            503 => tokio::time::sleep(Duration::from_millis(100)).await,
            status => panic!("{status} to a proxy that has started: {:?}", got.body),
        }
    }
}
