//! No key is written down anywhere but as a hash, or sealed.

use serde_json::json;
use support::evidence::secret;
use support::process::ServeProcess;
use support::{Administrator, Surroundings, get};
use uuid::Uuid;

/// Everything that administrators do with keys leaves neither in the database nor in the most talkative log what they are.
#[tokio::test]
async fn keys_are_in_no_table_and_in_no_log() {
    let around = Surroundings::start().await.administered().with("LOG_LEVEL", "trace");
    let process = ServeProcess::start(&around).await;
    let admin = Administrator::at(process.url()).logged_in().await;
    let user = admin.call("create_user").json(json!({ "name": "Grace" })).ok().await;
    let issue = admin.call("create_access_key").on("user_id", user["id"].as_str().unwrap());
    let issued = issue.header("idempotency-key", Uuid::new_v4()).json(json!({})).ok().await;
    let id = issued["access_key"]["id"].as_str().unwrap();
    let bedrock_keys = [0, 1].map(|_| secret(format!("ABSK{}", Uuid::new_v4().simple())));
    for key in &bedrock_keys {
        around.bedrock.enqueue(support::Reply::bedrock_error(403, "AccessDeniedException", key));
        let put = admin.call("put_bedrock_key").on("access_key_id", id).query("verify", true);
        put.json(json!({ "key": key })).ok().await;
        for wrong in
            [json!([key]), json!({ "key": [key] }), json!({ key: 1 }), json!({ "key": format!("{key} {key}") })]
        {
            let call = admin.call("put_bedrock_key").on("access_key_id", id).json(wrong);
            assert!(get(call.request()).await.status >= 400);
        }
    }
    let rotate = admin.call("rotate_access_key").on("access_key_id", id).header("idempotency-key", Uuid::new_v4());
    let rotated = rotate.json(json!({})).ok().await;
    for operation in ["delete_bedrock_key", "revoke_access_key"] {
        admin.call(operation).on("access_key_id", id).ok().await;
    }
    let mut written = std::fs::read_to_string(process.log_path()).unwrap();
    assert!(written.contains("\"TRACE\"") || written.contains("\"DEBUG\"") || written.contains("request"));
    for table in ["audit_log", "idempotency_keys", "access_keys", "bedrock_keys", "users"] {
        let query = sqlx::AssertSqlSafe(format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t"));
        let rows: String = sqlx::query_scalar(query).fetch_one(&around.database.pool).await.unwrap();
        assert!(rows.len() > 100, "{table}: {rows}");
        written.push_str(&rows);
    }
    let issued_keys = [&issued, &rotated].map(|answer| secret(answer["key"].as_str().unwrap()));
    for key in bedrock_keys.iter().chain(&issued_keys) {
        // Bytes are shown in hexadecimal.
        for form in [key.clone(), hexadecimal(key)] {
            assert!(!written.contains(&form), "a key is written down");
        }
    }
    process.signal(rustix::process::Signal::TERM);
    assert_eq!(process.exit_code().await, Some(0));
}

fn hexadecimal(text: &str) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap();
    text.bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
