//! Tasks that are run once, alarms, and the login to the registry.

use aws_sdk_ecs::types::{AwsVpcConfiguration, ContainerOverride, NetworkConfiguration, TaskOverride};
use serde_json::json;
use support::{OfflineAws, http_client, within};

use super::cloud::{Cloud, STACK};

#[tokio::test]
async fn a_task_that_is_run_once_ends_as_was_decided_and_leaves_its_log() {
    let cloud = Cloud::deployed().await;
    cloud.aws.next_task(json!({"exit_code": 3, "log": ["migrating", "no way"]})).await;
    let network = AwsVpcConfiguration::builder().subnets("subnet-0").build().unwrap();
    let migrate = ContainerOverride::builder().name("proxy").command("migrate").build();
    let run = cloud.containers.run_task().cluster(STACK).task_definition("claude-code-proxy").client_token("once");
    let run = run.network_configuration(NetworkConfiguration::builder().awsvpc_configuration(network).build());
    let run = run.overrides(TaskOverride::builder().container_overrides(migrate).build());
    let (first, again) = (run.clone().send().await.unwrap(), run.send().await.unwrap());
    let arn = first.tasks()[0].task_arn().unwrap();
    assert_eq!(again.tasks()[0].task_arn(), Some(arn));

    let mut seen: Vec<String> = Vec::new();
    let ended = within("a task", async {
        loop {
            let described = cloud.containers.describe_tasks().cluster(STACK).tasks(arn).send().await.unwrap();
            let task = described.tasks.unwrap().remove(0);
            let status = task.last_status().unwrap().to_owned();
            if seen.last() != Some(&status) {
                seen.push(status);
            }
            if task.last_status() == Some("STOPPED") {
                break task;
            }
        }
    })
    .await;
    assert_eq!(seen, ["PROVISIONING", "PENDING", "RUNNING", "STOPPED"]);
    assert_eq!(ended.containers()[0].exit_code(), Some(3));
    let logs = aws_sdk_cloudwatchlogs::Client::new(&cloud.config);
    let (_, id) = arn.rsplit_once('/').unwrap();
    let call = logs.get_log_events().log_group_name("/ecs/claude-code-proxy").start_from_head(true);
    let call = call.log_stream_name(format!("proxy/proxy/{id}"));
    let read = call.clone().send().await.unwrap();
    let messages: Vec<_> = read.events().iter().filter_map(|event| event.message()).collect();
    assert_eq!(messages, ["migrating", "no way"]);
    let token = read.next_forward_token().unwrap();
    // Nothing more: the same token, by which a follower knows.
    assert_eq!(call.next_token(token).send().await.unwrap().next_forward_token(), Some(token));
}

#[tokio::test]
async fn alarms_say_what_was_decided() {
    let cloud = Cloud::deployed().await;
    cloud.aws.decide(json!({"alarms": {"CircuitOpen": "ALARM"}})).await;
    let alarms = aws_sdk_cloudwatch::Client::new(&cloud.config);
    let described = alarms.describe_alarms().alarm_names("CircuitOpen").alarm_names("UnhealthyTasks").send();
    let mut states: Vec<_> = described
        .await
        .unwrap()
        .metric_alarms
        .unwrap()
        .into_iter()
        .map(|alarm| {
            (alarm.alarm_name.unwrap(), alarm.state_value.unwrap().as_str().to_owned(), alarm.threshold.unwrap())
        })
        .collect();
    states.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [("CircuitOpen", "ALARM", 1.0), ("UnhealthyTasks", "INSUFFICIENT_DATA", 2.0)];
    assert_eq!(states, expected.map(|(name, state, threshold)| (name.to_owned(), state.to_owned(), threshold)));
}

#[tokio::test]
async fn the_login_leads_to_the_registry_on_this_machine_and_calls_are_told_in_order() {
    let aws = OfflineAws::with_registry();
    let cloud = Cloud::of(aws).await;
    let login = aws_sdk_ecr::Client::new(&cloud.config).get_authorization_token().send().await.unwrap();
    assert_eq!(login.authorization_data()[0].proxy_endpoint(), Some(cloud.aws.registry()));
    let registry = http_client().get(format!("{}/v2/", cloud.aws.registry())).send().await.unwrap();
    assert!(registry.status().is_success());
    let calls = cloud.aws.calls().await;
    let last = calls.last().unwrap();
    assert_eq!((last.service.as_str(), last.operation.as_str()), ("ecr", "GetAuthorizationToken"));
    assert_eq!((calls[0].service.as_str(), calls[0].operation.as_str()), ("s3", "PUT"));
}
