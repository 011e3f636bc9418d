//! What every generated client has to do: make a user, issue a key, register a Bedrock key, see what a request has cost,
//! replace the key and revoke it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use support::administrator::{ADMINISTRATOR, password};
use support::evidence::secret;
use support::{Answer, Reply, Surroundings, TestApp, Usage};
use tokio::process::Command;

use crate::tool::{document, succeed};

/// The operations that it takes, beside logging in.
const OPERATIONS: [&str; 7] = [
    "create_user",
    "create_access_key",
    "put_bedrock_key",
    "get_usage",
    "rotate_access_key",
    "revoke_access_key",
    "get_user",
];
/// Tokens that nothing else counts.
const TOKENS: u64 = 48_611;
const LIMIT: Duration = Duration::from_mins(1);

/// Fails where the document has not all that a client needs, before it is made.
pub(crate) fn operations_are_there() {
    let text = std::fs::read_to_string(document("admin.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let all: BTreeSet<&str> =
        paths.flat_map(|path| path.as_object().unwrap().values()).filter_map(|of| of["operationId"].as_str()).collect();
    let missing: Vec<_> = OPERATIONS.iter().filter(|id| !all.contains(*id)).collect();
    assert!(
        missing.is_empty(),
        "openapi/admin.json has no operations {missing:?}, which generated clients are tried with"
    );
}

/// Runs a client's program through it.
pub(crate) async fn goes_well(mut client: Command) {
    let app = TestApp::start_in(Surroundings::start().await.administered()).await;
    let tokens = Usage { input: 7, output: TOKENS - 7, ..Usage::default() };
    let answer = Answer::text("served").with_usage(tokens);
    app.bedrock().otherwise(move |_| Reply::bedrock_json(&answer));
    let bedrock_key = secret(format!("bedrock-api-key-{}", uuid::Uuid::new_v4().simple()));
    let message =
        json!({ "model": "claude-opus-5-5", "max_tokens": 64, "messages": [{ "role": "user", "content": "hi" }] });
    let developer = format!("developer {}", uuid::Uuid::new_v4());
    client
        .env("BASE_URL", app.url())
        .env("ADMIN_NAME", ADMINISTRATOR)
        .env("ADMIN_PASSWORD", password())
        .env("DEVELOPER", &developer)
        .env("BEDROCK_KEY", &bedrock_key)
        .env("MESSAGE", message.to_string())
        .env("TOKENS", TOKENS.to_string());
    let folder = tempfile::tempdir().unwrap();
    let printed = succeed(client, folder.path(), LIMIT).await;
    let [line] = &printed.json_lines()[..] else { panic!("{printed:?}") };

    assert_eq!(line["answers"], json!([200, 200, 200, 403]), "{line}");
    assert_eq!((&line["budget"], &line["routing"]), (&json!("12.5"), &json!("plan_first")));
    assert_eq!(line["unknown"], "not_found");
    assert!(has_number(&line["usage"], TOKENS), "{line}");
    for _ in 0..3 {
        let asked = app.bedrock().next_request().await;
        assert_eq!(asked.header_values("authorization"), [format!("Bearer {bedrock_key}")]);
    }
    let around = app.stop().await;
    let keys: Vec<(String, String, Option<String>)> =
        sqlx::query_as("SELECT u.name, k.status, k.label FROM access_keys k JOIN users u ON u.id = k.user_id")
            .fetch_all(&around.database.pool)
            .await
            .unwrap();
    let revoked = (developer, "revoked".to_owned(), Some("laptop".to_owned()));
    assert_eq!(keys, [revoked.clone(), revoked]);
}

fn has_number(value: &Value, number: u64) -> bool {
    match value {
        Value::Number(found) => found.as_u64() == Some(number),
        Value::Array(items) => items.iter().any(|item| has_number(item, number)),
        Value::Object(fields) => fields.values().any(|field| has_number(field, number)),
        _ => false,
    }
}
