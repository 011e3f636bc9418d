//! What the stack says about its containers: cluster, service, family of tasks, and where their logs are.

use anyhow::{Context, Result};
use serde_json::Value as Json;

use crate::changes::Snapshot;

/// The names.
#[derive(Clone, Debug)]
pub(crate) struct Containers {
    /// The logical id of the service.
    pub(crate) logical: String,
    /// The cluster.
    pub(crate) cluster: String,
    /// The service.
    pub(crate) service: String,
    /// The family of its tasks.
    pub(crate) family: String,
    /// The container in them.
    pub(crate) container: String,
    /// The group of its log.
    pub(crate) log_group: String,
    /// What the names of its streams begin with.
    pub(crate) log_prefix: String,
    /// The task definition's properties, with references.
    pub(crate) definition: Json,
}

impl Containers {
    /// Reads them out of a stack that has a service.
    pub(crate) fn of(snapshot: &Snapshot) -> Result<Self> {
        let properties = |id: &str| snapshot.resources.get(id).map(|resource| &resource.body["Properties"]);
        let of_type = |name: &str| {
            let found = snapshot.resources.iter().find(|(_, resource)| resource.type_name == name);
            found.with_context(|| format!("the stack has no {name}"))
        };
        let (logical, service) = of_type("AWS::ECS::Service")?;
        let (_, definition) = of_type("AWS::ECS::TaskDefinition")?;
        let (_, cluster) = of_type("AWS::ECS::Cluster")?;
        let definition = &definition.body["Properties"];
        let container = &definition["ContainerDefinitions"][0];
        let options = &container["LogConfiguration"]["Options"];
        let group = options["awslogs-group"]["Ref"].as_str().and_then(properties).map(|group| &group["LogGroupName"]);
        let text = |value: Option<&Json>, what: &str| {
            let text = value.and_then(Json::as_str).map(str::to_owned);
            text.with_context(|| format!("the stack does not name {what}"))
        };
        Ok(Self {
            logical: logical.clone(),
            cluster: text(Some(&cluster.body["Properties"]["ClusterName"]), "its cluster")?,
            service: text(Some(&service.body["Properties"]["ServiceName"]), "its service")?,
            family: text(Some(&definition["Family"]), "the family of its tasks")?,
            container: text(Some(&container["Name"]), "its container")?,
            log_group: text(group, "its log group")?,
            log_prefix: text(Some(&options["awslogs-stream-prefix"]), "its log streams")?,
            definition: definition.clone(),
        })
    }

    /// The log stream of a task, by the last part of its ARN.
    pub(crate) fn stream(&self, task: &str) -> String {
        format!("{}/{}/{task}", self.log_prefix, self.container)
    }
}

/// The id of a task, which its ARN ends with.
pub(crate) fn task_id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
