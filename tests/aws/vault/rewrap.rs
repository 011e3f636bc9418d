//! `vault-rewrap`: from the key file to KMS, and from a key of KMS to the next.

use std::process::Output;

use claude_code_proxy::domain::RoutingStrategy;
use support::process::{ServeProcess, run};
use support::{Answer, KeyWish, Reply, Surroundings, refused_address};

use super::{ALIAS, client, new_key};
use crate::moto::Moto;

async fn rewrap(around: &Surroundings) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = run(&["vault-rewrap"], around.environment(), "").await;
    (status.code(), String::from_utf8(stderr).unwrap())
}

/// The key that each sealed key was sealed with is not visible; that it was sealed anew is.
async fn sealed(around: &Surroundings) -> Vec<Vec<u8>> {
    let query = sqlx::query_scalar("SELECT encrypted_key FROM bedrock_keys ORDER BY access_key_id");
    query.fetch_all(&around.database.pool).await.unwrap()
}

#[tokio::test]
async fn all_keys_move_and_stay_usable() {
    let moto = Moto::in_region("ca-central-1");
    new_key(&moto).await;
    let around = moto.account(moto.url()).await.with("KMS_KEY_ID", ALIAS);
    let wish = KeyWish::routed(RoutingStrategy::BedrockOnly);
    let keys = [around.issue(wish.clone()).await, around.issue(wish).await];
    let local = sealed(&around).await;
    let (code, told) = rewrap(&around).await;
    assert_eq!((code, told.trim()), (Some(0), "2 keys encrypted anew, 0 were already, 0 failed"));
    let first = sealed(&around).await;
    assert!(first.iter().all(|sealed| !local.contains(sealed) && sealed[0] == 2));
    assert_eq!(rewrap(&around).await.1.trim(), "0 keys encrypted anew, 2 were already, 0 failed");
    assert_eq!(sealed(&around).await, first);
    // The alias leads to the next key, and the key file is no longer there.
    new_key(&moto).await;
    let around = around.with("LOCAL_VAULT_KEY_FILE", "");
    assert_eq!(rewrap(&around).await.1.trim(), "2 keys encrypted anew, 0 were already, 0 failed");
    assert!(sealed(&around).await.iter().all(|sealed| !first.contains(sealed)));
    let process = ServeProcess::start(&around).await;
    for key in keys {
        around.bedrock.enqueue(Reply::bedrock_json(&Answer::text("served")));
        assert_eq!(client(process.url(), &key.text).ask().await.status, 200);
        let asked = around.bedrock.next_request().await;
        assert_eq!(asked.header("authorization"), Some(format!("Bearer {}", key.bedrock_key.unwrap()).as_str()));
    }
}

/// One key that cannot be opened is told and keeps nobody else; an outage ends the run, and the next one goes on.
#[tokio::test]
async fn what_fails_is_told_and_the_rest_is_done() {
    let moto = Moto::in_region("ca-west-1");
    new_key(&moto).await;
    let (_held, nowhere) = refused_address();
    let around = moto.account(&format!("http://{nowhere}")).await.with("KMS_KEY_ID", ALIAS);
    let damaged = around.issue(KeyWish::default()).await;
    around.issue(KeyWish::default()).await;
    let before = sealed(&around).await;
    let (code, told) = rewrap(&around).await;
    assert!(code == Some(1) && told.contains("stopped; run it again"), "{code:?} {told}");
    assert_eq!(sealed(&around).await, before);
    let query =
        sqlx::query("UPDATE bedrock_keys SET encrypted_key = convert_to('damaged', 'UTF8') WHERE access_key_id = $1");
    query.bind(damaged.id).execute(&around.database.pool).await.unwrap();
    let (code, told) = rewrap(&around.with("AWS_ENDPOINT_URL", moto.url())).await;
    assert_eq!(code, Some(1));
    assert!(told.contains(&format!("access key {}: the stored key cannot be opened", damaged.id)), "{told}");
    assert!(told.trim().ends_with("1 keys encrypted anew, 0 were already, 1 failed"), "{told}");
}
