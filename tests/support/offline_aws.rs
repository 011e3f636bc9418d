//! An AWS of a test's own: stacks, containers, a registry for images, and decisions about what becomes of them.

use std::ffi::OsString;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use xtask::offline_aws::{Registry, Server, Settings};

use crate::{http_client, within};

/// The region in which a test works, unless it says otherwise.
const REGION: &str = "ap-northeast-2";

/// A running server, which ends with this value, or with the process of the test.
#[derive(Debug)]
pub struct OfflineAws {
    // First, because its leash is let go of first.
    server: Server,
    registry: Option<Registry>,
    _folder: Option<TempDir>,
}

/// A call that was made, in the order in which they came.
#[derive(Clone, Debug, Deserialize)]
pub struct Call {
    /// The name under which the service is signed for, such as `cloudformation`.
    pub service: String,
    /// The operation, such as `RunTask`; for S3 the HTTP method.
    pub operation: String,
    /// The region.
    pub region: String,
    /// What was said, long texts cut off; for S3 the path and the query.
    pub parameters: Value,
    /// The code of the refusal, if it was refused by what tests have decided or by CloudFormation or ECS.
    pub refused: Option<String>,
}

impl OfflineAws {
    /// An empty account. Images have nowhere to go.
    pub fn start() -> Self {
        Self::with(None, None)
    }

    /// The same with a registry that plays ECR.
    pub fn with_registry() -> Self {
        let folder = tempfile::tempdir().expect("a folder for images");
        let registry = Registry::start(folder.path()).expect("a registry");
        Self::with(Some(registry), Some(folder))
    }

    fn with(registry: Option<Registry>, folder: Option<TempDir>) -> Self {
        let python = std::env::var_os("OFFLINE_AWS_PYTHON");
        let settings = Settings {
            python: &python
                .expect("OFFLINE_AWS_PYTHON: a Python with moto, as `cargo xtask test --only deploy` sets it"),
            root: Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the checkout"),
            port: 0,
            registry: registry.as_ref().map(Registry::url),
        };
        let server = Server::start(&settings).expect("the offline AWS");
        Self { server, registry, _folder: folder }
    }

    /// Where all services are.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The region of the test.
    pub fn region(&self) -> &'static str {
        REGION
    }

    /// `http://127.0.0.1:PORT` of the registry.
    pub fn registry(&self) -> &str {
        self.registry.as_ref().expect("a server that was started with a registry").url()
    }

    /// What the environment of a program has to say for it to work here.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let variables = [
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        variables.into_iter().map(|(name, value)| (name, value.into())).collect()
    }

    /// Takes decisions; the words are in `tests/offline_aws/control.py`.
    pub async fn decide(&self, decisions: Value) {
        let answer = http_client().post(format!("{}/control", self.url())).body(decisions.to_string()).send().await;
        let answer = answer.expect("the offline AWS answers");
        let status = answer.status();
        let text = answer.text().await.expect("an answer");
        assert!(status.is_success(), "{decisions} is no decision: {text}");
    }

    /// A resource fails with this reason when it is created or updated next.
    pub async fn fail(&self, logical: &str, reason: &str) {
        self.decide(json!({"fail": {"resource": logical, "reason": reason}})).await;
    }

    /// Operations wait before this resource, up to two minutes.
    pub async fn hold(&self, logical: &str) {
        self.decide(json!({ "hold": logical })).await;
    }

    /// Returns when an operation waits before this resource.
    pub async fn until_held(&self, logical: &str) {
        within("an operation to be held", async {
            while !self.state().await["waiting"].as_array().is_some_and(|all| all.iter().any(|one| one == logical)) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Lets the operation that waits before this resource go on.
    pub async fn release(&self, logical: &str) {
        self.decide(json!({ "release": logical })).await;
    }

    /// What the next task that is run does: `exit_code`, `log`, `stopped_reason`, `stop_code`, `hold`.
    pub async fn next_task(&self, task: Value) {
        self.decide(json!({ "task": task })).await;
    }

    /// The tasks of services end in this way from now on; `null`: they run.
    pub async fn service_tasks(&self, how: Value) {
        self.decide(json!({ "service": how })).await;
    }

    /// Every call so far.
    pub async fn calls(&self) -> Vec<Call> {
        let calls = self.get("/requests").await;
        serde_json::from_value(calls).expect("calls")
    }

    /// The calls of an operation so far.
    pub async fn calls_of(&self, operation: &str) -> Vec<Call> {
        self.calls().await.into_iter().filter(|call| call.operation == operation).collect()
    }

    async fn state(&self) -> Value {
        self.get("/control").await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = http_client().get(format!("{}{path}", self.url())).send().await.expect("the offline AWS answers");
        serde_json::from_slice(&answer.bytes().await.expect("an answer")).expect("JSON")
    }
}
