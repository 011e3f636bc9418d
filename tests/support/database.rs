//! A database of its own for every test, cloned from one that has been migrated once.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use claude_code_proxy::config::DatabaseConfig;
use claude_code_proxy::domain::Secret;
use claude_code_proxy::store::Database;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool};
use tokio::sync::OnceCell;
use xtask::postgres;

use crate::within;

/// How long the end of a test is held up while its database is dropped.
const HELD_UP: Duration = Duration::from_secs(1);

/// A migrated, empty database that is dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    server: String,
    url: String,
    name: String,
    goes_with_server: bool,
    /// For looking at what the app has stored.
    pub pool: PgPool,
}

impl TestDatabase {
    /// Clones the template.
    pub async fn create() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let template = template().await;
        let name = format!("{template}_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let server = server_url();
        within("a database", on_server(server, &format!("CREATE DATABASE {name} TEMPLATE {template}"))).await;
        Self::called(server, name)
    }

    /// One on a server that nobody else uses.
    pub async fn create_on(server: &str) -> Self {
        on_server(server, "CREATE DATABASE ccp_test").await;
        let mut this = Self::called(server, "ccp_test".to_owned());
        this.goes_with_server = true;
        let database = this.open();
        database.migrate().await.expect("the migrations");
        database.close().await;
        this
    }

    fn called(server: &str, name: String) -> Self {
        let url = postgres::with_database(server, &name);
        let pool = PgPoolOptions::new().max_connections(2).connect_lazy(&url).expect("the URL of the test server");
        Self { server: server.to_owned(), url, name, goes_with_server: false, pool }
    }

    /// Where the app finds it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Refuses connections to this database and ends those that it has.
    pub async fn take_away(&self) {
        on_server(&self.server, &format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", self.name)).await;
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", self.name);
        within("connections to end", on_server(&self.server, &end)).await;
    }

    /// Allows connections again.
    pub async fn bring_back(&self) {
        on_server(&self.server, &format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true", self.name)).await;
    }

    /// The app's own view of it.
    pub fn open(&self) -> Database {
        open(&self.url)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.goes_with_server {
            return;
        }
        // A thread of its own, because a test's runtime cannot be waited on from inside of it.
        let server = std::mem::take(&mut self.server);
        let drop_it = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let (ended, dropped) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(within("a database to be dropped", on_server(&server, &drop_it)));
            drop(ended);
        });
        // A database that stays behind is no reason to fail a test; the cluster is wiped by the next run. And PostgreSQL waits
        // until all who are logging in have done so, those too that this very thread would have to answer.
        let _ = dropped.recv_timeout(HELD_UP);
    }
}

fn open(url: &str) -> Database {
    Database::open(&DatabaseConfig { url: Secret::new(url), max_connections: 10 }).expect("the URL of the test server")
}

/// The migrated database that all others are copies of; its name holds the process id, for test binaries run side by side.
async fn template() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let made = TEMPLATE.get_or_init(|| async {
        let name = format!("ccp_test_{}", std::process::id());
        on_server(server_url(), &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        on_server(server_url(), &format!("CREATE DATABASE {name}")).await;
        let database = open(&postgres::with_database(server_url(), &name));
        database.migrate().await.expect("the migrations");
        database.close().await;
        name
    });
    made.await
}

async fn on_server(server: &str, statement: &str) {
    let mut connection = PgConnection::connect(server).await.expect("the test server answers");
    connection.execute(AssertSqlSafe(statement)).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    drop(connection.close().await);
}

/// The server of `DATABASE_URL`, else a private one that ends with this process.
fn server_url() -> &'static str {
    static SERVER: OnceLock<postgres::Database> = OnceLock::new();
    SERVER.get_or_init(|| postgres::Database::for_tests().expect("a private PostgreSQL for the tests")).url()
}
