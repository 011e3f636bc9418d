//! The migration in the VPC: the image's role `migrate` as a task of its own, before any task serves with the new image.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, Compatibility, ContainerDefinition, CpuArchitecture, DesiredStatus,
    KernelCapabilities, KeyValuePair, LaunchType, LinuxParameters, LogConfiguration, LogDriver, NetworkConfiguration,
    NetworkMode, OsFamily, RuntimePlatform, Task,
};
use serde_json::Value as Json;
use xtask::progress::{loud, readable, step};

use crate::aws::Aws;
use crate::containers::{Containers, task_id};
use crate::deployed::Deployed;
use crate::exit::Failed;
use crate::failure::told;
use crate::log_stream::{LogStream, readable_line};
use crate::resolve::Made;
use crate::rollout::why;
use crate::ticker::Ticker;

/// What the console shows as whoever has started the task.
const STARTED_BY: &str = "xtask-migrate";
/// How the image's role `migrate` ends where a later version has migrated the database.
const NEWER_SCHEMA: i32 = 3;
/// ECS knows a task a moment after it has taken it.
const KNOWN_WITHIN: Duration = Duration::from_mins(2);
/// Looks at the log after the end, because lines arrive late.
const LATE_LOOKS: u32 = 3;
/// What its log streams begin with.
pub(crate) const LOG_PREFIX: &str = "migrate";

/// A migration by an image, in the surroundings that the stack gives to its tasks.
#[derive(Debug)]
pub(crate) struct Migration<'a> {
    /// AWS.
    pub(crate) aws: &'a Aws,
    /// The stack; its roles, networks and log group have to be there.
    pub(crate) deployed: &'a Deployed,
    /// The containers as the stack shall have them, with the image that migrates.
    pub(crate) containers: &'a Containers,
    /// Whether a database that a later version has migrated is good enough: on the way back to an image of before.
    pub(crate) back: bool,
    /// The longest to wait.
    pub(crate) within: Duration,
}

impl Migration<'_> {
    /// Runs it, and follows its log to its end. One that runs already, by the same image, is followed and not run twice.
    pub(crate) async fn run(&self) -> Result<()> {
        let made = Made {
            resources: self.deployed.resources(self.aws).await?,
            identity: self.aws.identity().await?.clone(),
            region: self.aws.region.clone(),
            stack: self.aws.stack.clone(),
        };
        let container = &self.containers.definition["ContainerDefinitions"][0];
        let image = made.resolve(&container["Image"]).map_err(|missing| not_made(&missing))?;
        let image = image.as_str().context("the image has no name")?;
        if let Some(arn) = self.under_way(image).await? {
            step(format_args!("a migration by this image runs already: task {}", task_id(&arn)));
            return self.follow(&arn).await;
        }
        let definition = self.register(&made, image).await?;
        let started = self.start(&definition).await;
        // The task has a copy; among those that can be started the definition is in the way.
        let forgotten = self.aws.ecs().deregister_task_definition().task_definition(&definition).send().await;
        let arn = started?;
        if let Err(error) = forgotten {
            loud(format_args!("{:#}", told(error, "deregister the definition of the migration")));
        }
        step(format_args!("started task {}", task_id(&arn)));
        self.follow(&arn).await
    }

    fn family(&self) -> String {
        format!("{}-migrate", self.containers.family)
    }

    async fn under_way(&self, image: &str) -> Result<Option<String>> {
        let ecs = self.aws.ecs();
        let listed = ecs.list_tasks().cluster(&self.containers.cluster).family(self.family());
        let listed = listed.desired_status(DesiredStatus::Running).send().await;
        let listed = listed.map_err(|error| told(error, "look for a migration that runs"))?;
        if listed.task_arns().is_empty() {
            return Ok(None);
        }
        let described = ecs.describe_tasks().cluster(&self.containers.cluster).set_tasks(listed.task_arns).send().await;
        let described = described.map_err(|error| told(error, "look at the migration that runs"))?;
        let same = |task: &&Task| task.containers().iter().any(|container| container.image() == Some(image));
        Ok(described.tasks().iter().find(same).and_then(Task::task_arn).map(str::to_owned))
    }

    async fn register(&self, made: &Made, image: &str) -> Result<String> {
        let definition = &self.containers.definition;
        let container = &definition["ContainerDefinitions"][0];
        let value = |value: &Json| -> Result<String> {
            let value = made.resolve(value).map_err(|missing| not_made(&missing))?;
            Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        let mut log = LogConfiguration::builder().log_driver(LogDriver::Awslogs);
        for (name, option) in container["LogConfiguration"]["Options"].as_object().into_iter().flatten() {
            // Those of the service's are for lines that are thrown away sooner than waited for.
            if name.starts_with("awslogs-") && name != "awslogs-stream-prefix" {
                log = log.options(name, value(option)?);
            }
        }
        let mut main = ContainerDefinition::builder()
            .name(&self.containers.container)
            .image(image)
            .command("migrate")
            .essential(true)
            .readonly_root_filesystem(true)
            .set_user(container["User"].as_str().map(str::to_owned))
            .linux_parameters(no_capabilities())
            .log_configuration(log.options("mode", "blocking").options("awslogs-stream-prefix", LOG_PREFIX).build()?);
        for variable in container["Environment"].as_array().into_iter().flatten() {
            let name = variable["Name"].as_str().unwrap_or_default();
            match made.resolve(&variable["Value"]) {
                Ok(found) => {
                    let found = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
                    main = main.environment(KeyValuePair::builder().name(name).value(found).build());
                }
                // A part of the stack that comes with this very deployment; migrations need nothing but the database.
                Err(missing) => loud(format_args!("{name} is left out: {missing} is not made yet")),
            }
        }
        let architecture = CpuArchitecture::from(value(&definition["RuntimePlatform"]["CpuArchitecture"])?.as_str());
        let platform =
            RuntimePlatform::builder().cpu_architecture(architecture).operating_system_family(OsFamily::Linux);
        let asked = self
            .aws
            .ecs()
            .register_task_definition()
            .family(self.family())
            .cpu(value(&definition["Cpu"])?)
            .memory(value(&definition["Memory"])?)
            .network_mode(NetworkMode::Awsvpc)
            .requires_compatibilities(Compatibility::Fargate)
            .runtime_platform(platform.build())
            .execution_role_arn(value(&definition["ExecutionRoleArn"])?)
            .task_role_arn(value(&definition["TaskRoleArn"])?)
            .container_definitions(main.build());
        let answer = asked.send().await.map_err(|error| told(error, "define the migration's task"))?;
        let defined = answer.task_definition.and_then(|defined| defined.task_definition_arn);
        defined.context("ECS names no definition of the task")
    }

    async fn start(&self, definition: &str) -> Result<String> {
        let subnets = self.deployed.output("TaskSubnets")?.split(',').map(str::to_owned).collect();
        let network = AwsVpcConfiguration::builder()
            .set_subnets(Some(subnets))
            .security_groups(self.deployed.output("TaskSecurityGroup")?)
            .assign_public_ip(AssignPublicIp::Disabled)
            .build()?;
        let asked = self
            .aws
            .ecs()
            .run_task()
            .cluster(&self.containers.cluster)
            .task_definition(definition)
            .launch_type(LaunchType::Fargate)
            .count(1)
            .started_by(STARTED_BY)
            .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(network).build());
        let answer = asked.send().await.map_err(|error| told(error, "start the migration's task"))?;
        if let Some(failure) = answer.failures().first() {
            let reason = failure.reason().unwrap_or("it does not say why");
            bail!(
                "ECS has no room for the migration's task: {reason} {}; try again",
                failure.detail().unwrap_or_default()
            );
        }
        let arn = answer.tasks().first().and_then(Task::task_arn).context("ECS names no task")?;
        Ok(arn.to_owned())
    }

    async fn follow(&self, arn: &str) -> Result<()> {
        let Containers { cluster, container, log_group, .. } = self.containers;
        let mut log = LogStream::new(log_group, format!("{LOG_PREFIX}/{container}/{}", task_id(arn)));
        let mut ticker = Ticker::start();
        loop {
            // Before the log, so that its last lines are read after the end.
            let described = self.aws.ecs().describe_tasks().cluster(cluster).tasks(arn).send().await;
            let described = described.map_err(|error| told(error, "look at the migration's task"))?;
            let task = described.tasks().first();
            ensure!(
                task.is_some() || ticker.elapsed() < KNOWN_WITHIN,
                "ECS does not know the migration's task: run the same again"
            );
            for line in log.next(self.aws).await? {
                ticker.line(&format!("| {}", readable_line(&line)));
            }
            let state = task.and_then(Task::last_status).unwrap_or("not known yet");
            if let Some(task) = task.filter(|_| state == "STOPPED") {
                for _ in 0..LATE_LOOKS {
                    tokio::time::sleep(self.aws.look_every()).await;
                    for line in log.next(self.aws).await? {
                        ticker.line(&format!("| {}", readable_line(&line)));
                    }
                }
                let code = task.containers().first().and_then(aws_sdk_ecs::types::Container::exit_code);
                if code == Some(0) {
                    ticker.line("the schema is up to date");
                    return Ok(());
                }
                if self.back && code == Some(NEWER_SCHEMA) {
                    ticker.line("the schema is that of a later version, which versions before it serve on");
                    return Ok(());
                }
                return Err(anyhow!(Failed(format!(
                    "the migration failed: {}{}\nThe service that runs is as it was. `cargo xtask logs --migrations` shows all of its log",
                    why(task),
                    remedy(task).map(|remedy| format!("\n{remedy}")).unwrap_or_default()
                ))));
            }
            if ticker.elapsed() > self.within {
                bail!(
                    "the migration is not over after {}, and goes on: the same command follows it again; --timeout waits longer",
                    readable(self.within)
                );
            }
            ticker.waiting(&format!("the task is {}", state.to_lowercase()));
            tokio::time::sleep(self.aws.look_every()).await;
        }
    }
}

/// As the service's container has none.
fn no_capabilities() -> LinuxParameters {
    LinuxParameters::builder().capabilities(KernelCapabilities::builder().drop("ALL").build()).build()
}

fn not_made(missing: &str) -> anyhow::Error {
    anyhow!(
        "{missing} is not made yet, and the migration needs it: deploy the infrastructure first, without a new image"
    )
}

fn remedy(task: &Task) -> Option<&'static str> {
    let reason = task.stopped_reason().unwrap_or_default();
    let container = task.containers().first().and_then(|container| container.reason()).unwrap_or_default();
    crate::remedies::of(&format!("{reason} {container}"))
}
