//! `cargo xtask admin set-password`: what it writes is what the app reads, and nobody sees the password.

use argon2::password_hash::PasswordVerifier as _;
use argon2::{Argon2, PasswordHash};
use claude_code_proxy::config::SecretName;

use crate::offline::cloud::Cloud;
use crate::verbs::{xtask, xtask_with};

const PASSWORD: &str = "correct horse battery staple";

#[tokio::test]
async fn the_app_takes_the_secret_that_was_written() {
    let cloud = Cloud::deployed().await;
    let line = format!("{PASSWORD}\r\nanother line\n");
    let ended = xtask_with(&cloud.aws, &["admin", "set-password", "--username", "ada"], &line).await;
    assert!(!format!("{ended:?}").contains(PASSWORD));
    let told = ended.telling(0);
    assert!(told.contains("\"ada\" has a new password") && told.contains("at the next login"), "{told}");

    let secrets = aws_sdk_secretsmanager::Client::new(&cloud.config);
    let secret = secrets.get_secret_value().secret_id("claude-code-proxy/admin-credentials").send().await.unwrap();
    let settings = SecretName::AdminCredentials.settings(secret.secret_string().unwrap(), None).unwrap();
    assert_eq!(settings["ADMIN_USERNAME"].expose(), "ada");
    let hash = PasswordHash::new(settings["ADMIN_PASSWORD_HASH"].expose()).unwrap();
    assert!(Argon2::default().verify_password(PASSWORD.as_bytes(), &hash).is_ok());
    assert!(Argon2::default().verify_password(b"another password", &hash).is_err());

    let calls = cloud.aws.calls().await;
    assert!(calls.iter().any(|call| call.operation == "PutSecretValue"));
    assert!(calls.iter().all(|call| !call.parameters.to_string().contains(PASSWORD)), "it does not leave this machine");
    let said = xtask(&cloud.aws, &["status", "--json"]).await.json(0);
    assert_eq!(said["administrator_password_set"], true);
}

#[tokio::test]
async fn a_password_that_the_app_would_refuse_is_not_written() {
    let cloud = Cloud::deployed().await;
    let told = xtask_with(&cloud.aws, &["admin", "set-password"], "too short\n").await.telling(1);
    assert!(told.contains("the password has 9 characters; take at least 12"), "{told}");
    let told = xtask_with(&cloud.aws, &["admin", "set-password"], "").await.telling(1);
    assert!(told.contains("no password came"), "{told}");
    let told = xtask_with(&cloud.aws, &["admin", "set-password", "--username", "a:b"], PASSWORD).await.telling(2);
    assert!(told.contains("no colon"), "{told}");
    assert!(cloud.aws.calls_of("PutSecretValue").await.is_empty());
}

#[tokio::test]
async fn without_a_stack_nobody_is_asked_for_a_password() {
    let cloud = Cloud::start().await;
    let told = xtask(&cloud.aws, &["admin", "set-password"]).await.telling(1);
    assert!(told.contains("there is no stack"), "{told}");
}
