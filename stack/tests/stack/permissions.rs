//! Who may do what: no grant is missing, and none is too broad.

use serde_json::{Value as Json, json};

use crate::support::{at, attribute, template, the};

/// Without these an alarm goes and nobody hears of it, and no log group can be made.
#[test]
fn alarms_and_logs_may_use_the_key_of_what_they_write_to() {
    let statements = at("OpsKey/Resource").property("/KeyPolicy/Statement");
    let uses = |service: &Json, action: &str| {
        let ours = statements.as_array().into_iter().flatten().find(|it| it["Principal"]["Service"] == *service);
        ours.is_some_and(|it| it["Action"].as_array().is_some_and(|actions| actions.contains(&json!(action))))
    };
    for action in ["kms:Decrypt", "kms:GenerateDataKey*"] {
        assert!(uses(&json!("cloudwatch.amazonaws.com"), action), "{action}");
        assert!(uses(&json!({ "Fn::Sub": "logs.${AWS::Region}.${AWS::URLSuffix}" }), action), "{action}");
    }
}

#[test]
fn ecs_may_pull_the_image_and_write_the_log() {
    let statements = at("Execution/Resource").property("/Policies/0/PolicyDocument/Statement");
    let may = |action: &str, resource: &Json| {
        statements.as_array().into_iter().flatten().any(|it| {
            it["Resource"][0] == *resource && it["Action"].as_array().is_some_and(|all| all.contains(&json!(action)))
        })
    };
    let (repository, log) = (attribute("Repository/Resource", "Arn"), attribute("AppLogs/Resource", "Arn"));
    assert!(may("ecr:GetAuthorizationToken", &json!("*")));
    assert!(may("ecr:BatchGetImage", &repository) && may("ecr:GetDownloadUrlForLayer", &repository));
    assert!(may("logs:CreateLogStream", &log) && may("logs:PutLogEvents", &log));
    let task = the("AWS::ECS::TaskDefinition");
    assert_eq!(task.property("/ExecutionRoleArn"), attribute("Execution/Resource", "Arn"));
    assert_eq!(task.property("/TaskRoleArn"), attribute("Task/Role/Resource", "Arn"));
}

#[test]
fn topics_take_alarms_of_this_account_alone() {
    for (id, policy) in template().of_type("AWS::SNS::TopicPolicy") {
        let statements = policy.property("/PolicyDocument/Statement");
        assert_eq!(statements[0]["Principal"], json!({ "Service": "cloudwatch.amazonaws.com" }), "{id}");
        assert!(statements[0]["Condition"]["ArnLike"]["aws:SourceArn"].to_string().contains("AWS::AccountId"), "{id}");
        assert_eq!(statements[1]["Effect"], "Deny", "{id}");
    }
}

#[test]
fn the_tasks_publish_metrics_of_our_namespace_alone() {
    let statements = at("Task/Role/Resource").property("/Policies/0/PolicyDocument/Statement");
    let published =
        statements.as_array().into_iter().flatten().find(|it| it["Action"][0] == "cloudwatch:PutMetricData");
    let condition = &published.expect("they publish")["Condition"];
    assert_eq!(*condition, json!({ "StringEquals": { "cloudwatch:namespace": "ClaudeCodeProxy" } }));
}

/// A wildcard as resource is right only where AWS knows no other, or a condition narrows it.
#[test]
fn no_role_may_do_more_than_it_must() {
    for (id, role) in template().of_type("AWS::IAM::Role") {
        for statement in role.property("/Policies/0/PolicyDocument/Statement").as_array().into_iter().flatten() {
            let actions = statement["Action"].to_string();
            assert!(!actions.contains('*'), "{id}: {statement}");
            let all = statement["Resource"] == json!(["*"]) && statement["Condition"].is_null();
            let must = actions.contains("ecr:GetAuthorizationToken");
            assert!(!all || must, "{id}: {statement}");
        }
    }
}
