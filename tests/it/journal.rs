//! Usage survives whatever happens to the process and to the database: real processes, killed.

mod killed;
mod replay;
mod trouble;

use std::path::PathBuf;
use std::time::Duration;

use claude_code_proxy::domain::RoutingStrategy;
use rustix::process::Signal;
use support::process::ServeProcess;
use support::{Answer, Client, KeyWish, Reply, Surroundings, TestDatabase, get, http_client, within};

/// For what waits until a pause between two tries is over, which can be ten seconds long.
const A_WHILE: Duration = Duration::from_mins(1);

/// The surroundings of proxies that share a journal, with a Bedrock that answers and a plan that nobody asks.
struct Journaled {
    around: Surroundings,
    folder: tempfile::TempDir,
}

impl Journaled {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let around = Surroundings::start().await.with("USAGE_JOURNAL_DIR", folder.path().display().to_string());
        around.bedrock.otherwise(|_| Reply::bedrock_json(&Answer::text("an answer")));
        Self { around, folder }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.around = self.around.with(name, value);
        self
    }

    fn database(&self) -> &TestDatabase {
        &self.around.database
    }

    /// A process and a client whose key it knows, from a first request that is the only new row.
    async fn serve(&self) -> (ServeProcess, Client) {
        let before = count(self.database()).await;
        let process = ServeProcess::start(&self.around).await;
        let key = self.around.issue(KeyWish::routed(RoutingStrategy::BedrockOnly)).await;
        let client = Client::at(format!("{}/ak/{}", process.url(), key.text));
        known(process.url(), &key.text).await;
        assert_eq!(client.ask().await.status, 200);
        rows_are(self.database(), before + 1).await;
        (process, client)
    }

    /// A process that finds what another one has left, once there are so many rows.
    async fn recover(&self, rows: i64) -> ServeProcess {
        let process = ServeProcess::start(&self.around).await;
        rows_are(self.database(), rows).await;
        process
    }

    /// The files of this kind in the sub-folders.
    fn files(&self, kind: &str) -> Vec<PathBuf> {
        let list = |folder: PathBuf| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let files = list(self.folder.path().to_owned()).flat_map(list);
        files.filter(|path| path.extension().is_some_and(|extension| extension == kind)).collect()
    }
}

async fn count(database: &TestDatabase) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM token_usage").fetch_one(&database.pool).await.unwrap()
}

async fn rows_are(database: &TestDatabase, expected: i64) {
    let reached = tokio::time::timeout(A_WHILE, async {
        while count(database).await < expected {
            tokio::task::yield_now().await;
        }
    });
    assert!(reached.await.is_ok(), "{} rows instead of {expected}", count(database).await);
    assert_eq!(count(database).await, expected);
}

/// Each kind of bucket, per key and per user, has counted every row once.
async fn sums_are_those_of_the_rows(database: &TestDatabase) {
    let sums: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT sum(total_requests)::bigint, sum(total_tokens)::bigint FROM usage_aggregates
          GROUP BY bucket_type, access_key_id IS NULL",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    let rows: (i64, i64) = sqlx::query_as("SELECT count(*), sum(total_tokens)::bigint FROM token_usage")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(sums, vec![rows; 10]);
}

async fn kill(process: ServeProcess) {
    process.signal(Signal::KILL);
    assert_eq!(process.exit_code().await, None);
}

async fn end(process: ServeProcess) {
    process.signal(Signal::TERM);
    assert_eq!(process.exit_code().await, Some(0));
}

/// Waits until a key is remembered: what is looked up while the first news of changes come is not believed, and a database
/// that goes away then leaves a process without any key.
async fn known(url: &str, key: &str) {
    let remembered = async || {
        let asked =
            http_client().post(format!("{url}/ak/{key}/v1/messages")).body("no request, but a look-up of the key");
        assert_eq!(get(asked).await.status, 400);
        get(http_client().get(format!("{url}/ready"))).await.json()["remembered_keys"] != 0
    };
    within("a key to be remembered", async { while !remembered().await {} }).await;
}
