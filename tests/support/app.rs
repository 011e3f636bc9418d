//! The real app on a free port, between a scripted plan and a scripted Bedrock, with a database of its own.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use claude_code_proxy::app::App;
use claude_code_proxy::config::{Config, Environment};
use claude_code_proxy::telemetry::standing::Standings;
use claude_code_proxy::vault::LocalVault;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::evidence::{keep_log, secret};
use crate::{IssuedKey, KeyWish, TestDatabase, Upstream, within};

/// The plan, Bedrock, the database and the settings that bind an app to them.
#[derive(Debug)]
pub struct Surroundings {
    /// The scripted plan.
    pub plan: Upstream,
    /// The scripted Bedrock.
    pub bedrock: Upstream,
    /// The app's database.
    pub database: TestDatabase,
    settings: HashMap<String, String>,
    vault_key: tempfile::NamedTempFile,
}

impl Surroundings {
    /// Starts both upstreams and clones a database.
    pub async fn start() -> Self {
        Self::with_database(TestDatabase::create().await).await
    }

    /// Starts both upstreams beside this database.
    pub async fn with_database(database: TestDatabase) -> Self {
        keep_log();
        let (plan, bedrock) = (Upstream::start().await, Upstream::start().await);
        let hasher_secret = secret(format!("hasher-{}", uuid::Uuid::new_v4().simple()));
        let mut vault_key = tempfile::NamedTempFile::new().expect("a file for the vault's key");
        let random = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()].map(uuid::Uuid::into_bytes).concat();
        let key = secret(base64::Engine::encode(&base64::engine::general_purpose::STANDARD, random));
        vault_key.write_all(key.as_bytes()).expect("the vault's key");
        let settings = [
            ("LISTEN_ADDR", "127.0.0.1:0".to_owned()),
            ("DATABASE_URL", database.url().to_owned()),
            ("KEY_HASHER_SECRET", hasher_secret),
            ("LOCAL_VAULT_KEY_FILE", vault_key.path().display().to_string()),
            ("PLAN_BASE_URL", plan.url()),
            ("BEDROCK_ENDPOINT_URL", bedrock.url()),
            // No load balancer has to notice that a test ends its app.
            ("DRAIN_DELAY", "0s".to_owned()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).into();
        Self { plan, bedrock, database, settings, vault_key }
    }

    /// Sets or changes a setting, under the name that it has in the environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// The environment of a process that runs the app.
    pub fn environment(&self) -> &HashMap<String, String> {
        &self.settings
    }

    /// Issues a key.
    pub async fn issue(&self, wish: KeyWish) -> IssuedKey {
        wish.issue(&self.database.open(), &self.settings["KEY_HASHER_SECRET"], &self.vault()).await
    }

    fn vault(&self) -> LocalVault {
        vault(self.vault_key.path())
    }

    fn config(&self) -> Config {
        let lookup = |name: &str| self.settings.get(name).cloned();
        Config::read(Environment::new(lookup)).expect("the settings of the test")
    }
}

fn vault(key_file: &Path) -> LocalVault {
    LocalVault::from_key_file(key_file).expect("the vault's key")
}

/// The app, running. Every test ends it with [`TestApp::stop`], which waits for every request and every usage record.
#[derive(Debug)]
pub struct TestApp {
    around: Option<Surroundings>,
    address: SocketAddr,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl TestApp {
    /// Starts the app with its default settings.
    pub async fn start() -> Self {
        Self::start_in(Surroundings::start().await).await
    }

    /// Starts the app with the settings of `around`.
    pub async fn start_in(around: Surroundings) -> Self {
        let app = App::build(around.config(), Arc::new(around.vault()), Standings::default())
            .await
            .expect("the app is built");
        let address = app.address();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(app.run(futures_util::stream::once(async { drop(stopped.await) })));
        Self { around: Some(around), address, running: Some((stop, task)) }
    }

    /// What it runs between.
    pub fn around(&self) -> &Surroundings {
        self.around.as_ref().expect("surroundings until the end")
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The scripted plan.
    pub fn plan(&self) -> &Upstream {
        &self.around().plan
    }

    /// The scripted Bedrock.
    pub fn bedrock(&self) -> &Upstream {
        &self.around().bedrock
    }

    /// A key with a Bedrock key.
    pub async fn key(&self) -> IssuedKey {
        self.issue(KeyWish::default()).await
    }

    /// A key as wished for.
    pub async fn issue(&self, wish: KeyWish) -> IssuedKey {
        self.around().issue(wish).await
    }

    /// Asks the app to end, without waiting for it.
    pub fn begin_shutdown(&mut self) -> JoinHandle<()> {
        let (stop, task) = self.running.take().expect("the app is running");
        let _ = stop.send(());
        task
    }

    /// Ends the app as SIGTERM does: running requests finish, usage is stored. Then its database can be looked at.
    pub async fn stop(mut self) -> Surroundings {
        let task = self.begin_shutdown();
        within("the app to end", task).await.expect("no panic in the app");
        assert_eq!(self.plan().replies_left(), 0, "replies of the plan that nobody asked for");
        assert_eq!(self.bedrock().replies_left(), 0, "replies of Bedrock that nobody asked for");
        self.around.take().expect("surroundings until the end")
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some((_, task)) = self.running.take() {
            task.abort();
            assert!(std::thread::panicking(), "end the app with stop(): only then is every usage record accounted for");
        }
    }
}
