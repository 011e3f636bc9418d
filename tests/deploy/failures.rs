//! Deployments that fail: AWS puts back what was, the first cause is told, and the next one goes through.

use serde_json::{Value, json};

use crate::tool::{Tool, log_line};

#[tokio::test]
async fn a_creation_that_fails_is_explained_and_made_good_by_the_next() {
    let tool = Tool::new();
    let reason = "Resource handler returned message: \"DB Cluster already exists\" (HandlerErrorCode: AlreadyExists)";
    tool.aws.fail(&Tool::id("Database"), reason).await;
    let printed = tool.ends_with(4, "deploy", &["--yes", "--json"]).await;
    let report: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(report["outcome"], "failed");
    let error = report["error"].as_str().unwrap();
    let first = error.lines().find(|line| line.contains("first cause")).unwrap();
    assert!(first.contains("AWS::RDS::DBCluster") && first.contains("already exists"), "{error}");
    assert!(error.contains("kept by an earlier deployment"), "{error}");
    assert_eq!(tool.stack().await.text("StackStatus"), "ROLLBACK_COMPLETE");
    assert!(tool.aws.calls_of("RunTask").await.is_empty());

    tool.aws.decide(json!({ "clear": true })).await;
    let printed = tool.ends_with(0, "deploy", &["--yes"]).await;
    assert!(printed.stderr.contains("was never finished"), "{}", printed.stderr);
    assert_eq!(tool.stack().await.text("StackStatus"), "UPDATE_COMPLETE");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_the_service_as_it_was() {
    let mut tool = Tool::new();
    tool.deploy(&[]).await;
    let before = tool.digest.clone();
    tool.build_anew();
    tool.aws.next_task(json!({ "exit_code": 1, "log": [log_line("error", "migration 26 is refused")] })).await;
    let printed = tool.ends_with(4, "deploy", &["--yes"]).await;
    for told in ["| 03:04:05 error migration 26 is refused", "exit code 1", "The service that runs is as it was"] {
        assert!(printed.stderr.contains(told), "{told} is not in {}", printed.stderr);
    }
    assert_eq!(tool.stack().await.parameter("ImageDigest"), before);
    let sets = tool.cloudformation("ListChangeSets", &[("StackName", "claude-code-proxy")]).await;
    assert!(!sets.contains("<ChangeSetName>"), "a change set is left: {sets}");

    assert_eq!(tool.deploy(&[]).await["outcome"], "deployed");
    assert_eq!(tool.stack().await.parameter("ImageDigest"), tool.digest);
}

#[tokio::test]
async fn an_image_that_cannot_be_fetched_is_told_with_the_remedy() {
    let tool = Tool::new();
    let reason = "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'";
    tool.aws.next_task(json!({ "stopped_reason": reason, "stop_code": "TaskFailedToStart", "exit_code": null })).await;
    let printed = tool.ends_with(4, "deploy", &["--yes"]).await;
    assert!(printed.stderr.contains(reason) && printed.stderr.contains("could not be fetched"), "{}", printed.stderr);
}

#[tokio::test]
async fn a_service_that_does_not_come_up_is_rolled_back_and_its_tasks_are_quoted() {
    let mut tool = Tool::new();
    tool.deploy(&[]).await;
    let before = tool.digest.clone();
    tool.build_anew();
    tool.aws.service_tasks(json!({ "exit_code": 1, "log": [log_line("error", "the secret cannot be read")] })).await;
    let printed = tool.ends_with(4, "deploy", &["--yes"]).await;
    let words = &printed.stderr;
    let first = words.lines().find(|line| line.contains("first cause")).unwrap();
    assert!(first.contains("AWS::ECS::Service") && first.contains("Circuit Breaker"), "{words}");
    for told in
        ["proxy ended with exit code 1", "| 03:04:05 error the secret cannot be read", "UPDATE_ROLLBACK_COMPLETE"]
    {
        assert!(words.contains(told), "{told} is not in {words}");
    }
    assert_eq!(tool.stack().await.parameter("ImageDigest"), before);

    tool.aws.service_tasks(Value::Null).await;
    tool.deploy(&[]).await;
    assert_eq!(tool.stack().await.parameter("ImageDigest"), tool.digest);
}

#[tokio::test]
async fn what_aws_cannot_put_back_is_told_with_the_way_out() {
    let tool = Tool::new();
    tool.deploy(&[]).await;
    let scaling = Tool::id("Service/Scaling");
    tool.aws.fail(&scaling, "Resource handler returned message: \"No.\"").await;
    tool.aws.decide(json!({ "fail_rollback": { "resource": scaling } })).await;
    tool.ends_with(4, "deploy", &["--yes", "--parameter", "MaxTasks=6"]).await;
    assert_eq!(tool.stack().await.text("StackStatus"), "UPDATE_ROLLBACK_FAILED");
    let printed = tool.ends_with(4, "deploy", &["--yes"]).await;
    assert!(printed.stderr.contains("continue-update-rollback --stack-name claude-code-proxy"), "{}", printed.stderr);
}
