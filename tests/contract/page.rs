//! The page of the documentation, in a browser: all that an administrator needs is on it, and nothing is loaded from elsewhere.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use support::administrator::{ADMINISTRATOR, password};
use support::{Surroundings, TestApp, get, http_client};

use crate::flow;
use crate::tool::{beside, node, node_modules, succeed};

const LIMIT: Duration = Duration::from_mins(2);

#[tokio::test]
async fn an_administrator_logs_in_issues_a_key_and_reads_usage_through_the_page() {
    flow::operations_are_there();
    let app = TestApp::start_in(Surroundings::start().await.administered()).await;
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::copy(beside("page/page.mjs"), here.join("page.mjs")).unwrap();
    std::os::unix::fs::symlink(node_modules(), here.join("node_modules")).unwrap();
    let screenshots = std::env::var_os("CCP_TEST_OUTPUT").unwrap_or_else(|| here.into());
    let mut browser = node();
    browser
        .arg("page.mjs")
        .env("BASE_URL", app.url())
        .env("ADMIN_NAME", ADMINISTRATOR)
        .env("ADMIN_PASSWORD", password())
        .env("SCREENSHOTS", Path::new(&screenshots))
        .env("HOME", here);
    let printed = succeed(browser, here, LIMIT).await;
    let [line] = &printed.json_lines()[..] else { panic!("{printed:?}") };
    assert_eq!(line["statuses"], json!([200, 201, 201, 200]), "{line}");
    assert_eq!((&line["key"], &line["with_slash"]), (&json!("ak_"), &json!(200)));
    assert_eq!((&line["elsewhere"], &line["complaints"]), (&json!([]), &json!([])));
    let around = app.stop().await;
    let keys: Vec<(String, Option<String>)> =
        sqlx::query_as("SELECT u.name, k.label FROM access_keys k JOIN users u ON u.id = k.user_id")
            .fetch_all(&around.database.pool)
            .await
            .unwrap();
    assert_eq!(keys, [("Grace".to_owned(), Some("laptop".to_owned()))]);
}

/// No script runs in it that is not the proxy's own, and nothing but the proxy is asked.
#[tokio::test]
async fn the_page_forbids_what_it_does_not_need() {
    let app = TestApp::start().await;
    for path in ["/admin/docs", "/admin/docs/"] {
        let got = get(http_client().get(format!("{}{path}", app.url()))).await;
        assert_eq!((got.status, got.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        let policy = got.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        let page = String::from_utf8_lossy(&got.body);
        assert!(!page.contains("//"), "an address of elsewhere in {page}");
    }
    for (name, media_type) in [("json", "application/json"), ("yaml", "application/yaml")] {
        let got = get(http_client().get(format!("{}/admin/openapi.{name}", app.url()))).await;
        assert_eq!((got.status, got.header("content-type")), (200, media_type));
        let checked_in = std::fs::read(crate::tool::document(&format!("admin.{name}"))).unwrap();
        assert!(got.body == checked_in, "openapi/admin.{name} is not what is served");
    }
    app.stop().await;
}
