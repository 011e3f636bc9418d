//! What a deployment does not do without a person's word, and what it does not even ask AWS for.

use serde_json::{Value, json};

use crate::tool::Tool;

#[tokio::test]
async fn without_a_person_and_without_yes_nothing_is_changed() {
    let tool = Tool::new();
    let printed = tool.ends_with(3, "deploy", &["--json"]).await;
    let report: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(report["outcome"], "refused");
    assert!(report["error"].as_str().unwrap().contains("--yes"), "{report}");
    assert!(printed.stderr.contains("Resources: "), "{}", printed.stderr);
    assert!(tool.aws.calls_of("ExecuteChangeSet").await.is_empty());
    // Not even the empty stack is left that AWS makes for a change set.
    let printed = tool.ends_with(1, "migrate", &["--stack", "claude-code-proxy"]).await;
    assert!(printed.stderr.contains("there is no stack"), "{}", printed.stderr);
}

#[tokio::test]
async fn a_plan_is_left_for_a_look_at_it() {
    let tool = Tool::new();
    let report = tool.deploy(&["--no-execute"]).await;
    assert_eq!(report["outcome"], "planned");
    let name = report["change_set"].as_str().unwrap();
    let sets = tool.cloudformation("ListChangeSets", &[("StackName", "claude-code-proxy")]).await;
    assert!(sets.contains(&format!("<ChangeSetName>{name}</ChangeSetName>")), "{sets}");
    assert_eq!(tool.stack().await.text("StackStatus"), "REVIEW_IN_PROGRESS");
    // The draft is in nobody's way.
    assert_eq!(tool.deploy(&[]).await["outcome"], "deployed");
}

#[tokio::test]
async fn parameters_that_cannot_be_are_told_all_at_once_before_aws_is_asked() {
    let tool = Tool::new();
    let wrong = ["--yes", "--parameter", "MaxTasks=1", "--parameter", "HostedZoneId=", "--parameter", "Colour=blue"];
    let printed = tool.ends_with(1, "deploy", &wrong).await;
    for told in ["`MaxTasks` cannot be `1`; give a number from 2 to 100", "there is no parameter `Colour`"] {
        assert!(printed.stderr.contains(told), "{told} is not in {}", printed.stderr);
    }
    let printed = tool.ends_with(1, "deploy", &["--yes", "--parameter", "HostedZoneId="]).await;
    assert!(printed.stderr.contains("Give HostedZoneId, or CertificateArn"), "{}", printed.stderr);
    assert!(tool.aws.calls().await.is_empty());
}

/// Somebody has changed the stack past the tool, the policy that protects it included.
async fn change_by_another_hand(tool: &Tool, change: impl FnOnce(&mut Value)) {
    let assembly = stack::proxy_stack::proxy_stack().synth().unwrap();
    let mut template: Value = serde_json::from_str(&assembly.json).unwrap();
    for resource in template["Resources"].as_object_mut().unwrap().values_mut() {
        resource.as_object_mut().unwrap().remove("Metadata");
    }
    change(&mut template["Resources"]);
    let everything = r#"{"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}"#;
    tool.cloudformation("SetStackPolicy", &[("StackName", "claude-code-proxy"), ("StackPolicyBody", everything)]).await;
    tool.deploy_template(&template).await;
}

#[tokio::test]
async fn what_holds_something_is_not_lost_unless_it_is_named() {
    let tool = Tool::new();
    tool.deploy(&[]).await;
    change_by_another_hand(&tool, |resources| {
        resources["Shelf"] = json!({ "Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain" });
        resources[Tool::id("Database")]["Properties"]["DBClusterIdentifier"] = json!("another-name");
    })
    .await;
    let executed = tool.aws.calls_of("ExecuteChangeSet").await.len();
    let printed = tool.ends_with(3, "deploy", &["--yes"]).await;
    let database = Tool::id("Database");
    for told in [
        format!("AWS::RDS::DBCluster {database} would be made anew"),
        "AWS::SQS::Queue Shelf would leave the stack".to_owned(),
    ] {
        assert!(printed.stderr.contains(&told), "{told} is not in {}", printed.stderr);
    }
    assert_eq!(tool.aws.calls_of("ExecuteChangeSet").await.len(), executed);
    // One of two is not enough.
    tool.ends_with(3, "deploy", &["--yes", "--allow-replacement", "Shelf"]).await;

    let report = tool.deploy(&["--allow-replacement", "Shelf", "--allow-replacement", &database]).await;
    assert_eq!(report["outcome"], "deployed");
    // While it was done, AWS was told that these two may go; afterwards nothing may.
    let policies: Vec<_> =
        tool.aws.calls_of("SetStackPolicy").await.into_iter().map(|call| call.parameters.to_string()).collect();
    let protects = |policy: &String| policy.contains(&format!("LogicalResourceId/{database}"));
    assert!(policies.iter().any(|policy| !protects(policy)) && policies.last().is_some_and(protects), "{policies:?}");
}

#[tokio::test]
async fn an_alarm_that_has_gone_already_does_not_undo_the_update_that_mends_it() {
    let tool = Tool::new();
    tool.deploy(&[]).await;
    tool.aws.decide(json!({ "alarms": { "Target5xx": "ALARM" } })).await;
    let printed = tool.ends_with(0, "deploy", &["--yes", "--parameter", "MaxTasks=6"]).await;
    assert!(printed.stderr.contains("the alarm Target5xx has gone already"), "{}", printed.stderr);
    let sets = tool.aws.calls_of("CreateChangeSet").await;
    let said = sets.last().unwrap().parameters.to_string();
    assert!(said.contains(":alarm:UnhealthyTasks") && !said.contains(":alarm:Target5xx"), "{said}");
}

#[tokio::test]
async fn what_an_earlier_deployment_has_left_is_told_before_anything_is_made() {
    let tool = Tool::new();
    tool.deploy(&[]).await;
    tool.ends_with(0, "destroy", &["--yes"]).await;
    let executed = tool.aws.calls_of("ExecuteChangeSet").await.len();
    let command = "aws secretsmanager delete-secret --region ap-northeast-2 --force-delete-without-recovery";
    let printed = tool.ends_with(3, "deploy", &["--yes"]).await;
    for name in ["admin-credentials", "database", "key-hasher-secret"] {
        let told = format!("{command} --secret-id claude-code-proxy/{name}");
        assert!(printed.stderr.contains(&told), "{told} is not in {}", printed.stderr);
    }
    assert_eq!(tool.aws.calls_of("ExecuteChangeSet").await.len(), executed);
    // Whoever has lost the first output asks again.
    let printed = tool.ends_with(0, "destroy", &["--yes"]).await;
    assert!(printed.stderr.contains("nothing to do") && printed.stderr.contains(command), "{}", printed.stderr);
}
