//! The life of a deployment: made from nothing, found in order, brought up to date.

use serde_json::{Value, json};

use crate::policy::assert_allowed;
use crate::tool::{Tool, log_line};

/// What changes something, of all that a deployment calls.
const STEPS: [&str; 5] =
    ["ExecuteChangeSet", "GetAuthorizationToken", "RunTask", "UpdateTerminationProtection", "DeleteStack"];

#[tokio::test]
async fn from_nothing_to_a_service_that_is_protected() {
    let tool = Tool::new();
    tool.aws.next_task(json!({ "log": [log_line("info", "the schema has been migrated")] })).await;
    let printed = tool.ends_with(0, "deploy", &["--yes", "--json"]).await;

    assert_allowed(&tool.aws, &[], 0).await;
    let report: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!((&report["outcome"], &report["image"]), (&json!("deployed"), &json!(tool.digest)));
    assert!(report["outputs"]["LoadBalancerDnsName"].as_str().unwrap().contains("elb"), "{report}");
    assert_eq!(
        tool.order_of(&STEPS).await,
        ["ExecuteChangeSet", "UpdateTerminationProtection", "GetAuthorizationToken", "RunTask", "ExecuteChangeSet"]
    );
    for told in
        ["1 of 4", "2 of 4", "3 of 4", "4 of 4", "| 03:04:05 info the schema has been migrated", "admin set-password"]
    {
        assert!(printed.stderr.contains(told), "{told} is not in {}", printed.stderr);
    }
    // Every resource is told when it is done, the service with its tasks.
    for (path, verb) in [("Database", "made"), ("Service", "made")] {
        let id = Tool::id(path);
        assert!(printed.stderr.lines().any(|line| line.contains(verb) && line.contains(&id)), "{}", printed.stderr);
    }
    assert!(printed.stderr.contains("; roll-out "), "{}", printed.stderr);

    let stack = tool.stack().await;
    assert_eq!(stack.text("StackStatus"), "UPDATE_COMPLETE");
    assert_eq!(stack.text("EnableTerminationProtection"), "true");
    assert_eq!((stack.parameter("ImageDigest"), stack.parameter("Architecture")), (tool.digest.as_str(), "X86_64"));
    assert_eq!((stack.parameter("DomainName"), stack.parameter("NatGateways")), ("proxy.example.com", "1"));
    let policy = tool.cloudformation("GetStackPolicy", &[("StackName", "claude-code-proxy")]).await;
    assert!(policy.contains("Update:Replace") && policy.contains(&Tool::id("Database")), "{policy}");

    // The image is in the registry, under its digest and under a name for people.
    for name in [tool.digest.clone(), format!("1-{}", &tool.digest["sha256:".len()..][..12])] {
        let url = format!("{}/v2/claude-code-proxy/manifests/{name}", tool.aws.registry());
        let found = support::http_client().head(url).header("accept", "application/vnd.oci.image.manifest.v1+json");
        assert_eq!(found.send().await.unwrap().status(), 200, "{name}");
    }

    // The migration ran as the stack's tasks do, with the image that was pushed.
    let defined = &tool.aws.calls_of("RegisterTaskDefinition").await;
    let migration =
        &defined.iter().find(|call| call.parameters["family"] == "claude-code-proxy-migrate").unwrap().parameters;
    let container = &migration["containerDefinitions"][0];
    assert!(container["image"].as_str().unwrap().ends_with(&format!("/claude-code-proxy@{}", tool.digest)));
    assert_eq!((&container["command"], &container["readonlyRootFilesystem"]), (&json!(["migrate"]), &json!(true)));
    let environment = container["environment"].as_array().unwrap();
    let value =
        |name| environment.iter().find(|variable| variable["name"] == name).map(|variable| variable["value"].clone());
    assert_eq!(value("SECRETS_PREFIX"), Some(json!("claude-code-proxy")));
    assert!(value("KMS_KEY_ID").unwrap().as_str().unwrap().starts_with("arn:aws:kms:ap-northeast-2:123456789012:key/"));
    assert!(
        migration["taskRoleArn"].as_str().unwrap().starts_with("arn:aws:iam::123456789012:role/claude-code-proxy-")
    );
    assert_eq!(tool.aws.calls_of("DeregisterTaskDefinition").await.len(), 1);
}

#[tokio::test]
async fn a_second_time_there_is_nothing_to_do() {
    let tool = Tool::new();
    tool.deploy(&[]).await;
    let before = tool.order_of(&STEPS).await;
    let report = tool.deploy(&[]).await;
    assert_eq!(report["outcome"], "nothing-to-do");
    assert_eq!(tool.order_of(&STEPS).await, before);
    assert_eq!(tool.stack().await.text("StackStatus"), "UPDATE_COMPLETE");
    // The change set that turned out empty is not left behind.
    let sets = tool.cloudformation("ListChangeSets", &[("StackName", "claude-code-proxy")]).await;
    assert!(!sets.contains("<ChangeSetName>"), "{sets}");
}

#[tokio::test]
async fn an_upgrade_migrates_before_it_changes_anything() {
    let mut tool = Tool::new();
    tool.deploy(&[]).await;
    let done = tool.aws.calls().await.len();
    tool.build_anew();
    tool.aws.decide(json!({ "drift": [{ "resource": Tool::id("Targets"), "property": "/Port", "expected": "8000", "actual": "8001" }] })).await;
    let printed = tool.ends_with(0, "deploy", &["--yes", "--json", "--parameter", "MaxTasks=6"]).await;

    assert_allowed(&tool.aws, &[], done).await;
    let report: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(report["outcome"], "deployed");
    assert_eq!(report["review"]["parameters"]["MaxTasks"], json!(["4", "6"]));
    assert!(report["drift"][0].as_str().unwrap().contains("is 8001, not 8000"), "{report}");
    let changes = report["review"]["changes"].as_array().unwrap();
    let task = changes.iter().find(|change| change["type"] == "AWS::ECS::TaskDefinition").unwrap();
    assert_eq!(
        (&task["kind"], &task["properties"][0]["path"]),
        (&json!("replaced"), &json!("ContainerDefinitions/0/Image"))
    );

    let calls = tool.aws.calls().await.split_off(done);
    let order: Vec<_> = calls.iter().map(|call| call.operation.as_str()).filter(|name| STEPS.contains(name)).collect();
    assert_eq!(order, ["GetAuthorizationToken", "RunTask", "ExecuteChangeSet"]);
    // From the second deployment on the alarms of the service undo what does not work.
    let made = calls.iter().find(|call| call.operation == "CreateChangeSet").unwrap();
    let said = made.parameters.to_string();
    for alarm in ["UnhealthyTasks", "Target5xx", "LoadBalancer5xx"] {
        assert!(said.contains(&format!("arn:aws:cloudwatch:ap-northeast-2:123456789012:alarm:{alarm}")), "{said}");
    }
    let stack = tool.stack().await;
    assert_eq!((stack.parameter("MaxTasks"), stack.parameter("ImageDigest")), ("6", tool.digest.as_str()));
}

#[tokio::test]
async fn the_way_back_is_an_image_of_before() {
    let mut tool = Tool::new();
    tool.deploy(&[]).await;
    let before = tool.digest.clone();
    tool.build_anew();
    tool.deploy(&[]).await;
    // The image of before finds a schema that it does not know, and serves on it; by itself its migration is refused.
    tool.aws.next_task(json!({ "exit_code": 3, "log": ["the database is newer than this program"] })).await;
    let report = tool.deploy(&["--image", &before]).await;
    assert_eq!((&report["outcome"], &report["image"]), (&json!("deployed"), &json!(before)));
    assert_eq!(tool.stack().await.parameter("ImageDigest"), before);
    let unknown = format!("sha256:{}", "0".repeat(64));
    let printed = tool.ends_with(1, "deploy", &["--yes", "--image", &unknown]).await;
    assert!(printed.stderr.contains("there is no image"), "{}", printed.stderr);
    assert_eq!(tool.stack().await.parameter("ImageDigest"), before);
}
