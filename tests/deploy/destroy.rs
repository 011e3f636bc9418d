//! `cargo xtask destroy`: what it refuses, what it deletes, how it goes on after an interruption, and what it says is left.

use aws_sdk_cloudformation::types::ChangeSetType;
use serde_json::json;
use support::within;

use crate::offline::cloud::{BASE, Cloud, IMAGE, STACK, status};
use crate::verbs::{command, xtask};

/// A resource that many others depend on, so that a deletion comes to it late.
const LATE: &str = "NetworkCE5C880D";

/// The state of the stack, also after its end.
async fn state(cloud: &Cloud, id: &str) -> String {
    status(&cloud.stack_named(id).await.unwrap()).to_owned()
}

#[tokio::test]
async fn a_stack_is_deleted_and_what_is_left_is_named() {
    let cloud = Cloud::deployed().await;
    let stack = cloud.stack().await.stack_id.unwrap();
    let protect = cloud.stacks.update_termination_protection().stack_name(STACK).enable_termination_protection(true);
    protect.send().await.unwrap();
    let told = xtask(&cloud.aws, &["destroy", "--yes"]).await.telling(0);
    assert_eq!(state(&cloud, &stack).await, "DELETE_COMPLETE");
    for part in [
        "account 123456789012",
        "DELETED after a last snapshot: AWS::RDS::DBCluster claude-code-proxy",
        "kept: AWS::ECR::Repository claude-code-proxy",
        "deleted  AWS::ECS::Service",
        "aws ecr delete-repository --region ap-northeast-2 --force --repository-name claude-code-proxy",
        "aws logs delete-log-group --region ap-northeast-2 --log-group-name /ecs/claude-code-proxy",
        ":secret:claude-code-proxy/key-hasher-secret",
        "aws kms schedule-key-deletion",
        "their names block a new deployment",
    ] {
        assert!(told.contains(part), "{part:?} is not in\n{told}");
    }
    let again = xtask(&cloud.aws, &["destroy", "--yes"]).await.telling(0);
    assert!(again.contains("nothing to do"), "{again}");
    assert_eq!(cloud.aws.calls_of("DeleteStack").await.len(), 1);
}

#[tokio::test]
async fn nothing_is_deleted_without_somebodys_word() {
    let cloud = Cloud::deployed().await;
    let told = xtask(&cloud.aws, &["destroy"]).await.telling(3);
    assert!(told.contains("--yes") && told.contains("kept: AWS::ECR::Repository"), "{told}");
    assert!(cloud.aws.calls_of("DeleteStack").await.is_empty());
    assert!(cloud.aws.calls_of("UpdateTerminationProtection").await.is_empty());
}

#[tokio::test]
async fn what_refuses_to_be_deleted_stops_everything_before_it_begins() {
    let cloud = Cloud::start().await;
    let parameters = [&BASE[..2], &[("DeletionProtection", "true"), ("ImageDigest", IMAGE)]].concat();
    cloud.execute(&cloud.change_set(ChangeSetType::Create, &parameters).await).await;
    let told = xtask(&cloud.aws, &["destroy", "--yes"]).await.telling(3);
    assert!(told.contains("AWS::RDS::DBCluster claude-code-proxy"), "{told}");
    assert!(told.contains("cargo xtask deploy --parameter DeletionProtection=false"), "{told}");
    assert!(cloud.aws.calls_of("DeleteStack").await.is_empty());
}

#[tokio::test]
async fn a_deletion_under_way_is_followed_to_its_end() {
    let cloud = Cloud::deployed().await;
    cloud.aws.hold(LATE).await;
    let mut interrupted = command(&cloud.aws, &["destroy", "--yes"]).spawn().unwrap();
    cloud.aws.until_held(LATE).await;
    interrupted.kill().await.unwrap();
    let told = xtask(&cloud.aws, &["destroy", "--timeout", "1s"]).await.telling(1);
    assert!(told.contains("it is not over after"), "{told}");
    let following = command(&cloud.aws, &["destroy"]).spawn().unwrap();
    cloud.aws.release(LATE).await;
    let ended = crate::verbs::Ended::of(&within("the end", following.wait_with_output()).await.unwrap());
    let told = ended.telling(0);
    assert!(told.contains("claude-code-proxy is deleted") || told.contains("nothing to do"), "{told}");
    assert_eq!(cloud.aws.calls_of("DeleteStack").await.len(), 1);
}

#[tokio::test]
async fn what_is_in_the_way_is_told_and_the_next_call_tries_again() {
    let cloud = Cloud::deployed().await;
    let reason = "The vpc has dependencies and cannot be deleted.";
    cloud.aws.decide(json!({ "fail": { "resource": LATE, "reason": reason, "on": ["DELETE"] } })).await;
    let told = xtask(&cloud.aws, &["destroy", "--yes"]).await.telling(4);
    for part in ["DELETE_FAILED", reason, "describe-network-interfaces", "the same command tries again"] {
        assert!(told.contains(part), "{part:?} is not in\n{told}");
    }
    cloud.aws.decide(json!({ "mend": LATE })).await;
    let told = xtask(&cloud.aws, &["destroy", "--yes"]).await.telling(0);
    assert!(told.contains("claude-code-proxy is deleted"), "{told}");
}

#[tokio::test]
async fn a_draft_and_a_stack_that_was_never_finished_go_as_well() {
    let cloud = Cloud::start().await;
    cloud.change_set(ChangeSetType::Create, &BASE).await;
    xtask(&cloud.aws, &["destroy", "--yes"]).await.with(0);
    assert!(xtask(&cloud.aws, &["destroy"]).await.telling(0).contains("nothing to do"));

    cloud.aws.fail(LATE, "The maximum number of VPCs has been reached.").await;
    let failed = cloud.execute(&cloud.change_set(ChangeSetType::Create, &BASE).await).await;
    assert_eq!(status(&failed), "ROLLBACK_COMPLETE");
    xtask(&cloud.aws, &["destroy", "--yes"]).await.with(0);
    assert_eq!(state(&cloud, &failed.stack_id.unwrap()).await, "DELETE_COMPLETE");
}
