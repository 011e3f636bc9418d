//! Deployments that are interrupted at each of their steps, and taken up by the same command.

use serde_json::json;

use crate::tool::Tool;

#[tokio::test]
async fn an_interrupted_creation_is_followed_and_not_begun_again() {
    let tool = Tool::new();
    let database = Tool::id("Database");
    tool.aws.hold(&database).await;
    let running = tool.begin();
    tool.aws.until_held(&database).await;
    running.interrupt().await;
    assert_eq!(tool.stack().await.text("StackStatus"), "CREATE_IN_PROGRESS");

    // Somebody begins again while AWS still works.
    let again = tool.run("deploy", &["--yes"]);
    let (printed, ()) = tokio::join!(again, async {
        tool.until_called_again("DescribeStackEvents").await;
        tool.aws.release(&database).await;
    });
    assert!(printed.status.success(), "{}", printed.stderr);
    assert!(printed.stderr.contains("this is followed first"), "{}", printed.stderr);
    // One execution for the infrastructure, one for the service.
    assert_eq!(tool.aws.calls_of("ExecuteChangeSet").await.len(), 2);
    assert_eq!(tool.stack().await.parameter("ImageDigest"), tool.digest);
}

#[tokio::test]
async fn a_migration_that_runs_is_followed_and_not_run_twice() {
    let tool = Tool::new();
    tool.aws.next_task(json!({ "hold": true })).await;
    let running = tool.begin();
    tool.until_called_again("DescribeTasks").await;
    running.interrupt().await;

    let again = tool.run("deploy", &["--yes"]);
    let (printed, ()) = tokio::join!(again, async {
        tool.until_called_again("GetLogEvents").await;
        tool.aws.decide(json!({ "release_tasks": true })).await;
    });
    assert!(printed.status.success(), "{}", printed.stderr);
    assert!(printed.stderr.contains("runs already"), "{}", printed.stderr);
    assert_eq!(tool.aws.calls_of("RunTask").await.len(), 1);
    assert_eq!(tool.stack().await.parameter("ImageDigest"), tool.digest);
}

#[tokio::test]
async fn an_interrupted_roll_out_goes_on_and_the_next_call_finds_it_done() {
    let tool = Tool::new();
    let service = Tool::id("Service");
    tool.aws.hold(&service).await;
    let running = tool.begin();
    tool.aws.until_held(&service).await;
    running.interrupt().await;
    tool.aws.release(&service).await;

    let report = tool.deploy(&[]).await;
    assert_eq!(report["outcome"], "nothing-to-do");
    assert_eq!(tool.aws.calls_of("ExecuteChangeSet").await.len(), 2);
    assert_eq!(tool.aws.calls_of("RunTask").await.len(), 1);
    // What the interrupted call had still to do is done as well.
    assert_eq!(tool.stack().await.text("EnableTerminationProtection"), "true");
}

#[tokio::test]
async fn an_operation_that_was_begun_elsewhere_and_fails_is_our_failure() {
    let tool = Tool::new();
    let database = Tool::id("Database");
    tool.aws.hold(&database).await;
    tool.aws.fail(&database, "Resource handler returned message: \"no capacity\"").await;
    let running = tool.begin();
    tool.aws.until_held(&database).await;
    running.interrupt().await;
    let (printed, ()) = tokio::join!(tool.run("deploy", &["--yes"]), async {
        tool.until_called_again("DescribeStackEvents").await;
        tool.aws.release(&database).await;
    });
    assert_eq!(printed.status.code(), Some(4), "{}", printed.stderr);
    assert!(printed.stderr.contains("first cause: AWS::RDS::DBCluster"), "{}", printed.stderr);
    assert!(printed.stderr.contains("this is followed first"), "{}", printed.stderr);
    assert_eq!(tool.aws.calls_of("ExecuteChangeSet").await.len(), 1, "nothing was begun anew");
}
