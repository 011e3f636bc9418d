//! The life of a stack: made from the real template, changed, changed by nothing, and deleted.

use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use aws_sdk_cloudformation::types::{ChangeAction, ChangeSetStatus, ChangeSetType, Replacement};

use super::cloud::{BASE, Cloud, IMAGE, NEXT_IMAGE, STACK, changes, line, status};

#[tokio::test]
async fn a_stack_without_an_image_lacks_the_service_and_gets_it_with_one() {
    let cloud = Cloud::start().await;
    let first = cloud.change_set(ChangeSetType::Create, &BASE).await;
    assert_eq!(status(&cloud.stack().await), "REVIEW_IN_PROGRESS");
    assert!(changes(&first).iter().all(|change| change.action() == Some(&ChangeAction::Add)));
    let created = cloud.execute(&first).await;
    assert_eq!(status(&created), "CREATE_COMPLETE");
    let output = |name| created.outputs().iter().find(|output| output.output_key() == Some(name)).unwrap();
    assert_eq!(output("ClusterName").output_value(), Some(STACK));
    let events = cloud.events(STACK).await;
    assert!(events.iter().all(|event| !line(event).contains("FAILED") && !line(event).ends_with(" Service5378CD9E")));
    assert!(events.iter().skip(1).all(|event| event.client_request_token() == Some("of-this-deployment")));

    let second = cloud.change_set(ChangeSetType::Update, &[("ImageDigest", IMAGE)]).await;
    let added: Vec<_> = changes(&second).iter().map(|change| change.resource_type().unwrap().to_owned()).collect();
    assert!(added.iter().any(|kind| kind == "AWS::ECS::Service"), "{added:?}");
    assert_eq!(status(&cloud.execute(&second).await), "UPDATE_COMPLETE");
    let services = cloud.containers.describe_services().cluster(STACK).services(STACK).send().await.unwrap();
    assert_eq!((services.services()[0].running_count(), services.services()[0].desired_count()), (2, 2));
}

#[tokio::test]
async fn without_a_change_there_is_nothing_to_execute() {
    let cloud = Cloud::deployed().await;
    let nothing = cloud.change_set(ChangeSetType::Update, &[]).await;
    assert_eq!(nothing.status(), Some(&ChangeSetStatus::Failed));
    assert!(nothing.status_reason().unwrap().starts_with("The submitted information didn't contain changes."));
    let refused = cloud.stacks.execute_change_set().change_set_name(nothing.change_set_id().unwrap()).send().await;
    assert_eq!(refused.unwrap_err().into_service_error().code(), Some("InvalidChangeSetStatus"));
}

#[tokio::test]
async fn a_new_image_replaces_the_task_definition_and_changes_the_service() {
    let cloud = Cloud::deployed().await;
    let change_set = cloud.change_set(ChangeSetType::Update, &[("ImageDigest", NEXT_IMAGE)]).await;
    let [task, service] = changes(&change_set)[..] else { panic!("{change_set:?}") };
    assert_eq!(task.replacement(), Some(&Replacement::True));
    assert_eq!(task.details()[0].causing_entity(), Some("ImageDigest"));
    assert_eq!(service.replacement(), Some(&Replacement::False));
    assert_eq!(service.details()[0].target().unwrap().name(), Some("TaskDefinition"));
    assert_eq!(status(&cloud.execute(&change_set).await), "UPDATE_COMPLETE");
    let lines: Vec<_> = cloud.events(STACK).await.iter().map(line).collect();
    let of_task: Vec<_> = lines.iter().filter(|line| line.ends_with(" Task8487B061")).collect();
    // The former one goes last, when nothing can fail any more.
    let expected = ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"];
    assert_eq!(
        of_task[of_task.len() - 4..],
        expected.map(|word| format!("{word} Task8487B061")).iter().collect::<Vec<_>>()
    );
    assert!(lines.contains(&format!("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS {STACK}")));
}

#[tokio::test]
async fn what_is_to_be_retained_survives_the_stack_and_blocks_the_next_one() {
    let cloud = Cloud::deployed().await;
    let protect = |on| cloud.stacks.update_termination_protection().stack_name(STACK).enable_termination_protection(on);
    protect(true).send().await.unwrap();
    let refused = cloud.stacks.delete_stack().stack_name(STACK).send().await.unwrap_err().into_service_error();
    assert_eq!(
        refused.message(),
        Some("Stack [claude-code-proxy] cannot be deleted while TerminationProtection is enabled")
    );
    protect(false).send().await.unwrap();

    let id = cloud.stack().await.stack_id.unwrap();
    cloud.stacks.delete_stack().stack_name(STACK).send().await.unwrap();
    assert_eq!(status(&cloud.settled(&id).await), "DELETE_COMPLETE");
    let skipped = cloud.events(&id).await.iter().map(line).filter(|line| line.starts_with("DELETE_SKIPPED")).count();
    assert!(skipped >= 3, "{skipped}");
    let gone = cloud.stack_named(STACK).await.unwrap_err();
    assert!(gone.contains("Stack with id claude-code-proxy does not exist"), "{gone}");
    let secrets = aws_sdk_secretsmanager::Client::new(&cloud.config);
    let secret = secrets.get_secret_value().secret_id("claude-code-proxy/key-hasher-secret").send().await.unwrap();
    assert_eq!(secret.secret_string().unwrap().len(), 64);
    // Nobody has set the administrator's password, so that secret has no value.
    let empty = secrets.get_secret_value().secret_id("claude-code-proxy/admin-credentials").send().await;
    assert!(empty.unwrap_err().into_service_error().is_resource_not_found_exception());

    let again = cloud.execute(&cloud.change_set(ChangeSetType::Create, &BASE).await).await;
    assert_eq!(status(&again), "ROLLBACK_COMPLETE");
    let events = cloud.events(STACK).await;
    let failed = events.iter().find(|event| line(event).starts_with("CREATE_FAILED")).unwrap();
    assert!(failed.resource_status_reason().unwrap().contains("HandlerErrorCode: AlreadyExists"), "{failed:?}");
}
