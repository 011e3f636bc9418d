//! The roll-out of a service while CloudFormation waits for it: how many tasks run, and why others stopped.

use anyhow::Result;
use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{DesiredStatus, Task};

use crate::aws::Aws;
use crate::containers::{Containers, task_id};
use crate::failure::told;
use crate::log_stream::{LogStream, readable_line};

/// Tasks that are looked at: they fail alike.
const TASKS: usize = 2;
/// Lines of the log that are shown of each.
const LINES: i32 = 15;

/// Watches a service.
#[derive(Clone, Debug)]
pub(crate) struct Rollout {
    /// The logical id of the service.
    pub(crate) logical: String,
    containers: Containers,
}

impl Rollout {
    pub(crate) fn of(containers: Containers) -> Self {
        Self { logical: containers.logical.clone(), containers }
    }

    /// How far it is, if that is another thing than what was `said` last. That ECS does not tell is no reason to stop.
    pub(crate) async fn news(&self, aws: &Aws, said: &mut String) -> Vec<String> {
        let asked = aws.ecs().describe_services().cluster(&self.containers.cluster).services(&self.containers.service);
        let Ok(answer) = asked.send().await else { return Vec::new() };
        let Some(service) = answer.services().first() else { return Vec::new() };
        let primary = service.deployments().iter().find(|deployment| deployment.status() == Some("PRIMARY"));
        let Some(primary) = primary else { return Vec::new() };
        let now = format!(
            "tasks: {} of {} run, {} start, {} failed; roll-out {}",
            primary.running_count(),
            primary.desired_count(),
            primary.pending_count(),
            primary.failed_tasks(),
            primary.rollout_state().map_or("not begun", |state| state.as_str()).to_lowercase().replace('_', " "),
        );
        if *said == now {
            return Vec::new();
        }
        said.clone_from(&now);
        let reason = primary.rollout_state_reason().filter(|_| primary.failed_tasks() > 0);
        [Some(now), reason.map(str::to_owned)].into_iter().flatten().collect()
    }

    /// Why the last tasks stopped, with the end of their logs.
    pub(crate) async fn stopped(&self, aws: &Aws) -> Result<Vec<String>> {
        let Containers { cluster, family, .. } = &self.containers;
        let listed = aws.ecs().list_tasks().cluster(cluster).family(family).desired_status(DesiredStatus::Stopped);
        let listed = listed.send().await.map_err(|error| told(error, "list the tasks that stopped"))?;
        if listed.task_arns().is_empty() {
            return Ok(Vec::new());
        }
        let described = aws.ecs().describe_tasks().cluster(cluster).set_tasks(listed.task_arns).send().await;
        let described = described.map_err(|error| told(error, "describe the tasks that stopped"))?;
        let mut tasks = described.tasks.unwrap_or_default();
        tasks.sort_by_key(|task| std::cmp::Reverse(task.stopped_at().map(DateTime::secs)));
        let mut lines = Vec::new();
        for task in tasks.iter().take(TASKS) {
            lines.push(why(task));
            let id = task_id(task.task_arn().unwrap_or_default());
            let log = LogStream::new(&self.containers.log_group, self.containers.stream(id)).last(aws, LINES).await;
            match log {
                Ok(log) if log.is_empty() => lines.push("  it has logged nothing".to_owned()),
                Ok(log) => lines.extend(log.iter().map(|line| format!("  | {}", readable_line(line)))),
                Err(error) => lines.push(format!("  {error:#}")),
            }
        }
        Ok(lines)
    }
}

/// Why a task stopped, in a line.
pub(crate) fn why(task: &Task) -> String {
    let id = task_id(task.task_arn().unwrap_or_default());
    let mut parts = vec![format!("task {id}: {}", task.stopped_reason().unwrap_or("stopped, ECS does not say why"))];
    for container in task.containers() {
        let name = container.name().unwrap_or("the container");
        parts.extend(container.exit_code().map(|code| format!("{name} ended with exit code {code}")));
        parts.extend(container.reason().map(str::to_owned));
    }
    parts.join("; ")
}
