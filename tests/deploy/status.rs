//! `cargo xtask status`: what it says of a deployment, and the exit code by which a pipeline asks.

use aws_sdk_cloudformation::types::ChangeSetType;
use serde_json::json;

use crate::offline::cloud::{BASE, Cloud, IMAGE};
use crate::verbs::xtask;

#[tokio::test]
async fn a_deployment_that_runs_is_well() {
    let cloud = Cloud::deployed().await;
    let said = xtask(&cloud.aws, &["status", "--json"]).await.json(0);
    assert_eq!(said["well"], true);
    assert_eq!(said["stack"]["state"], "CREATE_COMPLETE");
    assert_eq!(said["image"]["digest"], IMAGE);
    assert_eq!([&said["service"]["running"], &said["service"]["desired"]], [2, 2]);
    assert_eq!(said["service"]["rollout"], "COMPLETED");
    let tasks = said["tasks"].as_array().unwrap();
    assert!(tasks.len() == 2 && tasks.iter().all(|task| task["health"] == "HEALTHY"), "{said:#}");
    assert_eq!(said["url"], "https://proxy.example.com/ak/<access key>");
    // The stack was not told the zone.
    assert_eq!(said["record_to_make"]["name"], "proxy.example.com");
    assert_eq!(said["record_to_make"]["points_at"], said["outputs"]["LoadBalancerDnsName"]);
    assert_eq!(said["administrator_password_set"], false);

    let text = xtask(&cloud.aws, &["status"]).await.with(0);
    assert!(text.starts_with("well "), "{text}");
    assert!(text.contains("2 of 2 tasks run") && text.contains("cargo xtask admin set-password"), "{text}");
}

#[tokio::test]
async fn an_alarm_that_has_gone_is_not_well() {
    let cloud = Cloud::deployed().await;
    cloud.aws.decide(json!({ "alarms": { "UnhealthyTasks": "ALARM" } })).await;
    let said = xtask(&cloud.aws, &["status", "--json"]).await.json(6);
    assert_eq!(said["troubles"], json!(["alarm UnhealthyTasks has gone"]));
    assert_eq!(said["alarms"]["alarm"][0]["reason"], "Threshold Crossed");
    assert!(xtask(&cloud.aws, &["status"]).await.telling(6).contains("not well: alarm UnhealthyTasks has gone"));
}

#[tokio::test]
async fn a_stack_without_a_service_is_not_well_and_none_is_an_error() {
    let cloud = Cloud::start().await;
    let told = xtask(&cloud.aws, &["status"]).await.telling(1);
    assert!(told.contains("there is no stack \"claude-code-proxy\" in ap-northeast-2"), "{told}");

    let drafted = cloud.change_set(ChangeSetType::Create, &BASE).await;
    let said = xtask(&cloud.aws, &["status", "--json"]).await.json(6);
    assert_eq!(said["stack"]["state"], "REVIEW_IN_PROGRESS");

    cloud.execute(&drafted).await;
    let said = xtask(&cloud.aws, &["status", "--json"]).await.json(6);
    assert_eq!(said["troubles"], json!(["no image is deployed yet: `cargo xtask deploy`"]));
}

#[tokio::test]
async fn what_aws_does_not_tell_hides_nothing_else() {
    let cloud = Cloud::deployed().await;
    let refused = json!({ "operation": "DescribeAlarms", "code": "AccessDenied", "message": "not you", "times": 9 });
    cloud.aws.decide(json!({ "refuse": refused })).await;
    let said = xtask(&cloud.aws, &["status", "--json"]).await.json(1);
    assert!(said["service"]["running"] == 2 && said["alarms"].is_null(), "{said:#}");
    let unread = said["unread"][0].as_str().unwrap();
    assert!(unread.contains("ask for the alarms") && unread.contains("cargo xtask policy"), "{unread}");
}
