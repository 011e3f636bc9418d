//! Requests made up from the documents, good and bad: every answer is one that the documents promise.

use std::time::Duration;

use support::administrator::{ADMINISTRATOR, password};
use support::{Administrator, TestApp};

use crate::tool::{beside, document, python_tool, succeed};

const LIMIT: Duration = Duration::from_mins(10);

/// Everything but logging in and out, with a login.
#[tokio::test]
async fn no_made_up_request_gets_an_undocumented_answer() {
    let (app, admin) = Administrator::with_app().await;
    let bearer = format!("Authorization: Bearer {}", admin.token());
    // A login that ends itself could try nothing else.
    fuzz(&app, "admin.json", &["--header", &bearer, "--exclude-tag", "Login"]).await;
    app.stop().await;
}

/// Logging in and out. Passwords that are made up are wrong, and soon it is too often: all of that is documented.
#[tokio::test]
async fn logins_answer_as_documented() {
    let (app, _) = Administrator::with_app().await;
    let login = format!("{ADMINISTRATOR}:{}", password());
    let sound = "positive_data_acceptance,ignored_auth";
    fuzz(&app, "admin.json", &["--auth", &login, "--include-tag", "Login", "--exclude-checks", sound]).await;
    app.stop().await;
}

/// What load balancers ask.
#[tokio::test]
async fn health_is_as_documented() {
    let app = TestApp::start().await;
    fuzz(&app, "proxy.json", &["--include-tag", "Operations"]).await;
    app.stop().await;
}

async fn fuzz(app: &TestApp, name: &str, arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let mut schemathesis = python_tool("schemathesis");
    schemathesis
        .arg("--config-file")
        .arg(beside("schemathesis.toml"))
        .arg("run")
        .arg(document(name))
        .args(["--url", &app.url(), "--no-color"])
        .args(arguments);
    succeed(schemathesis, folder.path(), LIMIT).await;
}
