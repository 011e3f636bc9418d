//! The page of the documentation, in a browser: all that an administrator needs is on it, and nothing is loaded from elsewhere.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use support::administrator::{ADMINISTRATOR, password};
use support::evidence::secret;
use support::{Answer, Reply, Surroundings, TestApp, get, http_client};

use crate::tool::{beside, node, node_modules, succeed};

const LIMIT: Duration = Duration::from_mins(5);

#[tokio::test]
async fn an_administrator_can_do_everything_through_the_page() {
    let app = TestApp::start_in(Surroundings::start().await.administered()).await;
    // What the model refuses is learnt, and the request succeeds without it.
    let refused = "wanted_0: Extra inputs are not permitted";
    app.bedrock().enqueue(Reply::bedrock_error(400, "ValidationException", refused));
    app.bedrock().otherwise(|_| Reply::bedrock_json(&Answer::text("served")));
    let message = json!({ "model": "claude-opus-5-5", "max_tokens": 64, "wanted_0": 1,
                          "messages": [{ "role": "user", "content": "hi" }] });
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
        .env("BEDROCK_KEY", secret(format!("bedrock-api-key-{}", uuid::Uuid::new_v4().simple())))
        .env("MESSAGE", message.to_string())
        .env("SCREENSHOTS", Path::new(&screenshots))
        .env("HOME", here);
    let printed = succeed(browser, here, LIMIT).await;
    let [line] = &printed.json_lines()[..] else { panic!("{printed:?}") };
    assert_eq!(line["statuses"], successes(), "{line}");
    assert_eq!((&line["served"], &line["with_slash"]), (&json!(200), &json!(200)));
    assert_eq!((&line["usage"]["requests"], &line["csv"]), (&json!(1), &json!(2)), "{line}");
    assert_eq!((&line["elsewhere"], &line["complaints"]), (&json!([]), &json!([])));
    app.stop().await;
}

/// The status of success of every operation in the document.
fn successes() -> Value {
    let text = std::fs::read_to_string(crate::tool::document("admin.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let success = |operation: &Value| {
        let status = operation["responses"].as_object()?.keys().find(|status| status.starts_with('2'))?;
        Some((operation["operationId"].as_str()?.to_owned(), status.parse::<u16>().ok()?.into()))
    };
    operations.filter_map(success).collect::<serde_json::Map<_, _>>().into()
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
