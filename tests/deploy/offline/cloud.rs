//! The offline AWS with the clients of a deployment, and the template that `cargo xtask synth` writes.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{
    Capability, ChangeSetStatus, ChangeSetType, Parameter, ResourceChange, Stack, StackEvent,
};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::create_bucket::CreateBucketError;
use aws_sdk_s3::types::CreateBucketConfiguration;
use claude_code_proxy::aws;
use claude_code_proxy::config::AwsConfig;
use stack::proxy_stack;
use support::{OfflineAws, http_client, within};

pub(crate) const STACK: &str = "claude-code-proxy";
/// What every deployment of these tests says.
pub(crate) const BASE: [(&str, &str); 3] = [
    ("DomainName", "proxy.example.com"),
    ("CertificateArn", "arn:aws:acm:ap-northeast-2:123456789012:certificate/0"),
    ("DeletionProtection", "false"),
];
pub(crate) const IMAGE: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const NEXT_IMAGE: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const BUCKET: &str = "templates";
const LOOK: Duration = Duration::from_millis(10);

pub(crate) struct Cloud {
    pub(crate) aws: OfflineAws,
    pub(crate) config: SdkConfig,
    pub(crate) stacks: aws_sdk_cloudformation::Client,
    pub(crate) containers: aws_sdk_ecs::Client,
}

impl Cloud {
    /// An account that has the template in a bucket and nothing else.
    pub(crate) async fn start() -> Self {
        Self::of(OfflineAws::start()).await
    }

    /// The same in one that was started already.
    pub(crate) async fn of(aws: OfflineAws) -> Self {
        let named = AwsConfig { region: Some(aws.region().to_owned()), endpoint_url: Some(aws.url().to_owned()) };
        let credentials = SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "tests"));
        let shared = aws::sdk_config(http_client(), &named).await;
        let config = shared.into_builder().credentials_provider(credentials).build();
        let s3 = aws_sdk_s3::Client::new(&config);
        let there = CreateBucketConfiguration::builder().location_constraint(aws.region().into()).build();
        let made = s3.create_bucket().bucket(BUCKET).create_bucket_configuration(there).send().await;
        // Where the machine is busy the client may have asked twice.
        let twice = |error: &SdkError<CreateBucketError>| {
            error.as_service_error().is_some_and(CreateBucketError::is_bucket_already_owned_by_you)
        };
        assert!(made.as_ref().err().is_none_or(twice), "{made:?}");
        let template = proxy_stack::proxy_stack().synth().unwrap().json;
        s3.put_object().bucket(BUCKET).key("template.json").body(template.into_bytes().into()).send().await.unwrap();
        let stacks = aws_sdk_cloudformation::Client::new(&config);
        let containers = aws_sdk_ecs::Client::new(&config);
        Self { aws, config, stacks, containers }
    }

    /// Makes a change set, with the other parameters as they were, and waits until it is described.
    pub(crate) async fn change_set(&self, kind: ChangeSetType, parameters: &[(&str, &str)]) -> DescribeChangeSetOutput {
        let name = format!("change-{}", uuid::Uuid::new_v4());
        let before = if kind == ChangeSetType::Update { self.stack().await.parameters.unwrap() } else { Vec::new() };
        let said = |key: &str| parameters.iter().find(|(name, _)| *name == key);
        let kept = before.iter().filter_map(Parameter::parameter_key).filter(|key| said(key).is_none());
        let kept = kept.map(|key| Parameter::builder().parameter_key(key).use_previous_value(true).build());
        let given = parameters
            .iter()
            .map(|(key, value)| Parameter::builder().parameter_key(*key).parameter_value(*value).build());
        let region = self.aws.region();
        let call = self.stacks.create_change_set().stack_name(STACK).change_set_name(name).change_set_type(kind);
        let call = call.template_url(format!("https://{BUCKET}.s3.{region}.amazonaws.com/template.json"));
        let call = call.set_parameters(Some(given.chain(kept).collect())).capabilities(Capability::CapabilityIam);
        let made = call.send().await.unwrap();
        within("a change set", async {
            loop {
                let call = self.stacks.describe_change_set().change_set_name(made.id().unwrap());
                let described = call.include_property_values(true).send().await.unwrap();
                match described.status() {
                    Some(ChangeSetStatus::CreatePending | ChangeSetStatus::CreateInProgress) => {
                        tokio::time::sleep(LOOK).await;
                    }
                    _ => break described,
                }
            }
        })
        .await
    }

    /// Executes a change set, and waits for the end.
    pub(crate) async fn execute(&self, change_set: &DescribeChangeSetOutput) -> Stack {
        let call = self.stacks.execute_change_set().change_set_name(change_set.change_set_id().unwrap());
        call.client_request_token("of-this-deployment").send().await.unwrap();
        self.settled(STACK).await
    }

    /// Deploys from nothing, with an image.
    pub(crate) async fn deployed() -> Self {
        let cloud = Self::start().await;
        let parameters = [&BASE[..], &[("ImageDigest", IMAGE)]].concat();
        let created = cloud.execute(&cloud.change_set(ChangeSetType::Create, &parameters).await).await;
        assert_eq!(status(&created), "CREATE_COMPLETE");
        cloud
    }

    /// The stack once nothing is in progress.
    pub(crate) async fn settled(&self, name: &str) -> Stack {
        within("an operation on a stack", async {
            loop {
                let stack = self.stack_named(name).await.unwrap();
                if !status(&stack).ends_with("_IN_PROGRESS") {
                    break stack;
                }
                tokio::time::sleep(LOOK).await;
            }
        })
        .await
    }

    pub(crate) async fn stack(&self) -> Stack {
        self.stack_named(STACK).await.unwrap()
    }

    /// The stack, or what AWS says of it.
    pub(crate) async fn stack_named(&self, name: &str) -> Result<Stack, String> {
        let described = self.stacks.describe_stacks().stack_name(name).send().await;
        let described = described.map_err(|error| error.into_service_error().meta().to_string())?;
        Ok(described.stacks.unwrap().remove(0))
    }

    /// All events, oldest first.
    pub(crate) async fn events(&self, name: &str) -> Vec<StackEvent> {
        let pages = self.stacks.describe_stack_events().stack_name(name).into_paginator().items().send();
        let mut events = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        events.reverse();
        events
    }
}

pub(crate) fn status(stack: &Stack) -> &str {
    stack.stack_status().unwrap().as_str()
}

/// `CREATE_COMPLETE Task8487B061`, for what is to be found among events.
pub(crate) fn line(event: &StackEvent) -> String {
    format!("{} {}", event.resource_status().unwrap().as_str(), event.logical_resource_id().unwrap())
}

/// The changes of a change set.
pub(crate) fn changes(of: &DescribeChangeSetOutput) -> Vec<&ResourceChange> {
    of.changes().iter().map(|change| change.resource_change().unwrap()).collect()
}
