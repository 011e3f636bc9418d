//! What KMS has sealed, and for whom.

use claude_code_proxy::domain::Secret;
use claude_code_proxy::vault::{Vault as _, VaultError};
use support::process::ServeProcess;
use support::{Answer, Reply};
use uuid::Uuid;

use super::{ALIAS, client, issue, new_key, vault};
use crate::moto::Moto;

#[tokio::test]
async fn what_was_sealed_opens_for_the_same_access_key_alone() {
    let moto = Moto::in_region("ap-northeast-1");
    new_key(&moto).await;
    let vault = vault(&moto, moto.url()).await;
    let (owner, other) = (Uuid::new_v4(), Uuid::new_v4());
    let sealed = vault.seal(owner, &Secret::new("a Bedrock key")).await.unwrap();
    assert!(!sealed.windows(7).any(|bytes| bytes == b"Bedrock"));
    assert_eq!(vault.open(owner, &sealed).await.unwrap().expose(), "a Bedrock key");
    assert!(matches!(vault.open(other, &sealed).await, Err(VaultError::CannotOpen)));
    let mut damaged = sealed.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for wrong in [&damaged[..], &sealed[1..], &[], b"\x01sealed by a key file"] {
        let opened = vault.open(owner, wrong).await;
        assert!(matches!(opened, Err(VaultError::CannotOpen)), "{opened:?}");
    }
}

#[tokio::test]
async fn what_kms_does_not_take_is_told() {
    let moto = Moto::in_region("ap-northeast-3");
    let vault = vault(&moto, moto.url()).await;
    let sealed = vault.seal(Uuid::new_v4(), &Secret::new("a Bedrock key")).await;
    assert!(matches!(&sealed, Err(VaultError::Refused(code)) if code == "NotFoundException"), "{sealed:?}");
    let sealed = vault.seal(Uuid::new_v4(), &Secret::new("x".repeat(4_097))).await;
    assert!(matches!(sealed, Err(VaultError::TooLong(4_096))), "{sealed:?}");
}

/// From the command line to Bedrock without a key file.
#[tokio::test]
async fn a_key_of_kms_serves_requests() {
    let moto = Moto::in_region("ap-southeast-1");
    new_key(&moto).await;
    let around = moto.account(moto.url()).await.with("KMS_KEY_ID", ALIAS).with("LOCAL_VAULT_KEY_FILE", "");
    let process = ServeProcess::start(&around).await;
    let (key, bedrock_key) = issue(&around).await;
    around.bedrock.enqueue(Reply::bedrock_json(&Answer::text("served")));
    assert_eq!(client(process.url(), &key).ask().await.status, 200);
    let asked = around.bedrock.next_request().await;
    assert_eq!(asked.header("authorization"), Some(format!("Bearer {bedrock_key}").as_str()));
}
