//! `cargo xtask policy`: whatever the verbs ask of AWS is allowed by it.

use std::collections::BTreeSet;

use serde_json::Value;
use support::OfflineAws;

use crate::offline::cloud::Cloud;
use crate::verbs::{xtask, xtask_with};

/// The actions that a policy allows; with several parts, all of them.
async fn allowed(aws: &OfflineAws, arguments: &[&str]) -> BTreeSet<String> {
    let said = xtask(aws, &[&["policy"], arguments].concat()).await.json(0);
    let parts = if said["Version"].is_string() { vec![&said] } else { said.as_object().unwrap().values().collect() };
    let statements = parts.iter().flat_map(|part| part["Statement"].as_array().unwrap());
    let actions = statements.flat_map(|statement| statement["Action"].as_array().unwrap());
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

fn allows(allowed: &BTreeSet<String>, action: &str) -> bool {
    allowed.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => action.starts_with(beginning),
        None => pattern == action,
    })
}

/// What IAM calls an operation; nothing for what everybody may.
fn action(service: &str, operation: &str, parameters: &Value) -> Option<String> {
    let text = parameters.to_string();
    Some(match (service, operation) {
        ("sts", _) => return None,
        ("monitoring", _) => format!("cloudwatch:{operation}"),
        // Of S3 the method is known, and what it was about.
        ("s3", "HEAD") if !text.contains(".json") => "s3:ListBucket".to_owned(),
        ("s3", "HEAD" | "GET") => "s3:GetObject".to_owned(),
        ("s3", "PUT") if text.contains("lifecycle") => "s3:PutLifecycleConfiguration".to_owned(),
        ("s3", "PUT") if text.contains(".json") => "s3:PutObject".to_owned(),
        ("s3", "PUT") => "s3:CreateBucket".to_owned(),
        _ => format!("{service}:{operation}"),
    })
}

/// Every call so far is one that a deployer may make, or whoever these arguments name.
pub(crate) async fn assert_allowed(aws: &OfflineAws, arguments: &[&str], since: usize) {
    let allowed = allowed(aws, arguments).await;
    let calls = aws.calls().await;
    let actions = calls[since..].iter().filter_map(|call| action(&call.service, &call.operation, &call.parameters));
    let actions: BTreeSet<_> = actions.collect();
    assert!(!actions.is_empty());
    let missing: Vec<_> = actions.iter().filter(|action| !allows(&allowed, action)).collect();
    assert!(missing.is_empty(), "add these to the policy: {missing:?}");
}

#[tokio::test]
async fn every_verb_asks_only_for_what_is_allowed() {
    let cloud = Cloud::deployed().await;
    let before = cloud.aws.calls().await.len();
    xtask(&cloud.aws, &["status"]).await.with(0);
    xtask(&cloud.aws, &["logs"]).await.with(0);
    assert_allowed(&cloud.aws, &["--read-only"], before).await;
    xtask_with(&cloud.aws, &["admin", "set-password"], "correct horse battery staple").await.with(0);
    xtask(&cloud.aws, &["destroy", "--yes"]).await.with(0);
    assert_allowed(&cloud.aws, &[], before).await;
}

#[tokio::test]
async fn a_part_is_a_document_as_iam_takes_it() {
    let cloud = Cloud::start().await;
    let parts = xtask(&cloud.aws, &["policy"]).await.json(0).as_object().unwrap().len();
    for part in 1..=parts {
        let said = xtask(&cloud.aws, &["policy", "--part", &part.to_string()]).await.json(0);
        assert_eq!(said["Version"], "2012-10-17");
    }
    let beyond = xtask(&cloud.aws, &["policy", "--part", &(parts + 1).to_string()]).await.telling(1);
    assert!(beyond.contains(&format!("there are {parts} parts")), "{beyond}");
    // Without --account the trust of a role is bound to the account of the credentials.
    let trust = xtask(&cloud.aws, &["policy", "--trust", "github", "example/proxy"]).await.json(0);
    let provider = trust["Statement"][0]["Principal"]["Federated"].as_str().unwrap();
    assert_eq!(provider, "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com");
}
