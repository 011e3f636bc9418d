//! What fails because a test has said so, and what is refused while something is under way.

use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use aws_sdk_cloudformation::types::ChangeSetType;
use serde_json::json;

use super::cloud::{BASE, Cloud, NEXT_IMAGE, STACK, changes, line, status};

const REASON: &str = "Resource handler returned message: \"The maximum number of addresses has been reached.\"";

#[tokio::test]
async fn a_creation_that_fails_is_taken_back() {
    let cloud = Cloud::start().await;
    let change_set = cloud.change_set(ChangeSetType::Create, &BASE).await;
    let every = changes(&change_set);
    let address = every.iter().find(|change| change.resource_type() == Some("AWS::EC2::EIP")).unwrap();
    let address = address.logical_resource_id().unwrap();
    cloud.aws.fail(address, REASON).await;
    assert_eq!(status(&cloud.execute(&change_set).await), "ROLLBACK_COMPLETE");
    let events = cloud.events(STACK).await;
    let failed: Vec<_> = events.iter().filter(|event| line(event).starts_with("CREATE_FAILED")).collect();
    assert_eq!(failed[0].logical_resource_id(), Some(address));
    assert_eq!(failed[0].resource_status_reason(), Some(REASON));
    assert!(failed[1..].iter().all(|event| event.resource_status_reason() == Some("Resource creation cancelled")));
    let refused = cloud.stacks.create_change_set().stack_name(STACK).change_set_name("next").template_body("{}");
    let refused = refused.send().await.unwrap_err().into_service_error();
    assert!(refused.message().unwrap().ends_with("is in ROLLBACK_COMPLETE state and can not be updated."), "{refused}");
}

#[tokio::test]
async fn an_update_whose_tasks_do_not_start_is_taken_back() {
    let cloud = Cloud::deployed().await;
    cloud.aws.service_tasks(json!({"exit_code": 1, "log": ["cannot reach the database"]})).await;
    let change_set = cloud.change_set(ChangeSetType::Update, &[("ImageDigest", NEXT_IMAGE)]).await;
    assert_eq!(status(&cloud.execute(&change_set).await), "UPDATE_ROLLBACK_COMPLETE");
    let events = cloud.events(STACK).await;
    let failed = events.iter().find(|event| line(event) == "UPDATE_FAILED Service5378CD9E").unwrap();
    assert!(failed.resource_status_reason().unwrap().contains("ECS Deployment Circuit Breaker was triggered"));

    let described = cloud.containers.describe_services().cluster(STACK).services(STACK).send().await.unwrap();
    let [former, given_up] = described.services()[0].deployments() else { panic!("{described:?}") };
    assert_eq!((former.status(), former.running_count()), (Some("PRIMARY"), 2));
    assert_eq!((given_up.rollout_state().unwrap().as_str(), given_up.failed_tasks()), ("FAILED", 3));
    let call = cloud.containers.list_tasks().cluster(STACK).service_name(STACK);
    let ended = call.desired_status(aws_sdk_ecs::types::DesiredStatus::Stopped).send().await.unwrap();
    let tasks = cloud.containers.describe_tasks().cluster(STACK).set_tasks(ended.task_arns).send().await.unwrap();
    assert!(tasks.tasks().iter().all(|task| task.containers()[0].exit_code() == Some(1)));
    // What they did write is where the task definition says.
    let (_, id) = tasks.tasks()[0].task_arn().unwrap().rsplit_once('/').unwrap();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&cloud.config);
    let call = logs.get_log_events().log_group_name("/ecs/claude-code-proxy");
    let read = call.log_stream_name(format!("proxy/proxy/{id}")).start_from_head(true).send().await.unwrap();
    assert_eq!(read.events()[0].message(), Some("cannot reach the database"));
}

#[tokio::test]
async fn while_an_operation_is_under_way_others_are_refused() {
    let cloud = Cloud::deployed().await;
    let change_set = cloud.change_set(ChangeSetType::Update, &[("MinTasks", "3")]).await;
    cloud.aws.hold("ServiceScalingC17B41FE").await;
    let execute = cloud.stacks.execute_change_set().change_set_name(change_set.change_set_id().unwrap());
    execute.send().await.unwrap();
    cloud.aws.until_held("ServiceScalingC17B41FE").await;
    assert_eq!(status(&cloud.stack().await), "UPDATE_IN_PROGRESS");
    let refused = cloud.stacks.delete_stack().stack_name(STACK).send().await.unwrap_err().into_service_error();
    assert!(refused.message().unwrap().ends_with("cannot be deleted while in status UPDATE_IN_PROGRESS"), "{refused}");
    cloud.aws.release("ServiceScalingC17B41FE").await;
    assert_eq!(status(&cloud.settled(STACK).await), "UPDATE_COMPLETE");
}

#[tokio::test]
async fn a_way_back_that_is_stuck_can_be_continued() {
    let cloud = Cloud::deployed().await;
    let change_set = cloud.change_set(ChangeSetType::Update, &[("MinTasks", "3"), ("LogRetentionDays", "7")]).await;
    cloud.aws.fail("ServiceScalingC17B41FE", REASON).await;
    cloud.aws.decide(json!({"fail_rollback": {"resource": "AppLogs95F225F8"}})).await;
    assert_eq!(status(&cloud.execute(&change_set).await), "UPDATE_ROLLBACK_FAILED");
    cloud.aws.decide(json!({"mend": "AppLogs95F225F8"})).await;
    cloud.stacks.continue_update_rollback().stack_name(STACK).send().await.unwrap();
    assert_eq!(status(&cloud.settled(STACK).await), "UPDATE_ROLLBACK_COMPLETE");
}

#[tokio::test]
async fn a_template_that_is_too_long_for_a_call_is_refused() {
    let cloud = Cloud::start().await;
    let call = cloud
        .stacks
        .create_change_set()
        .stack_name(STACK)
        .change_set_name("first")
        .change_set_type(ChangeSetType::Create);
    let refused = call.template_body(" ".repeat(51_201)).send().await.unwrap_err().into_service_error();
    assert_eq!(refused.code(), Some("ValidationError"));
    assert!(refused.message().unwrap().contains("less than or equal to 51200"), "{refused}");
}
