//! What a service runs: one container on Fargate.

use std::collections::BTreeMap;

use crate::cfn::ecs;
use crate::cfn::ecs::{
    Compatibility, ContainerDefinition, HealthCheck, KernelCapabilities, KeyValuePair, LinuxParameters,
    LogConfiguration, MountPoint, NetworkMode, OperatingSystemFamily, PortMapping, Protocol, RuntimePlatform, Ulimit,
    Volume,
};
use crate::cfn::iam::Statement;
use crate::core::{Handle, Scope, Value, region};

use super::{LogGroup, Repository, Role, Secret};

/// A task with one container. Defaults: not root, no capabilities, a file system that is only read but for one folder, 120 s
/// to stop, its log never in its way, 65,536 open files, and no metadata of an instance, which Fargate does not have.
#[derive(Clone)]
pub struct Task {
    /// The way out.
    pub handle: Handle<ecs::TaskDefinition>,
    /// What the program in it may do.
    pub role: Role,
    /// The container that takes requests, and its port.
    pub(super) container: (String, u16),
}

impl Task {
    /// A task of this family: `cpu` in 1,024ths of one, `memory` in MiB.
    #[track_caller]
    pub fn new(
        scope: &Scope,
        name: &str,
        family: &str,
        (cpu, memory): (&str, &str),
        architecture: &Value<String>,
    ) -> Self {
        let scope = scope.child(name);
        let role = Role::new(&scope, "Role", "ecs-tasks.amazonaws.com", "What the program may do");
        let platform =
            RuntimePlatform::new().cpu_architecture(architecture).operating_system_family(OperatingSystemFamily::Linux);
        let handle = scope.main(
            ecs::TaskDefinition::new()
                .family(family)
                .cpu(cpu)
                .memory(memory)
                .network_mode(NetworkMode::AwsVpc)
                .requires_compatibilities([Compatibility::Fargate])
                .runtime_platform(platform)
                .task_role_arn(role.arn()),
        );
        Self { handle, role, container: (String::new(), 0) }
    }

    /// The container: an image that listens on a port, and the command that tells whether it is well.
    #[must_use]
    pub fn container(
        mut self,
        name: &str,
        image: Value<String>,
        port: u16,
        health: &[&str],
        environment: Vec<(&str, Value<String>)>,
    ) -> Self {
        let health = [&["CMD"], health].concat().into_iter().map(Value::from).collect::<Vec<_>>();
        // Who cannot get credentials in the way of tasks shall hear so at once.
        let no_instance = [("AWS_EC2_METADATA_DISABLED", "true".into())];
        let environment = no_instance.into_iter().chain(environment);
        let environment: Vec<_> = environment.map(|(name, value)| KeyValuePair::new(name, value)).collect();
        let container = ContainerDefinition::new(name, image)
            .essential(true)
            .environment(environment)
            .health_check(HealthCheck::new(health).interval(10).timeout(5).retries(3).start_period(30))
            .linux_parameters(
                LinuxParameters::new()
                    .capabilities(KernelCapabilities::new().drop(["ALL".into()]))
                    .init_process_enabled(true),
            )
            .port_mappings([PortMapping::new(port).protocol(Protocol::Tcp)])
            .readonly_root_filesystem(true)
            .stop_timeout(120)
            .ulimits([Ulimit::new("nofile", 65_536, 65_536)])
            .user("10001:10001");
        self.handle.edit(|task| task.container_definitions = Some(vec![container]));
        self.container = (name.to_owned(), port);
        self
    }

    /// A folder that is written to; what is in it goes with the task.
    pub fn scratch(&self, folder: &str) -> &Self {
        self.handle.edit(|task| {
            task.volumes = Some(vec![Volume::new("scratch")]);
            for container in task.container_definitions.iter_mut().flatten() {
                let mount = MountPoint::new().container_path(folder).read_only(false).source_volume("scratch");
                container.mount_points = Some(vec![mount]);
            }
        });
        self
    }

    /// Lets the program read secrets.
    pub fn may_read(&self, secrets: &[&Secret]) -> &Self {
        for secret in secrets {
            secret.grant_read(&self.role);
        }
        self
    }

    /// Lets the program ask for a secret by its name, which may be missing.
    pub fn may_read_if_there(&self, secret_name: &str) -> &Self {
        // What is missing has no ARN: by ARN the answer would be that access is denied, and not that it is missing.
        let statement = Statement::allow(["secretsmanager:GetSecretValue"]).on_all();
        self.role.allow(statement.when("StringEquals", "secretsmanager:SecretId", secret_name));
        self
    }

    /// Lets the program publish metrics of a namespace.
    pub fn may_publish_metrics(&self, namespace: &str) -> &Self {
        let statement = Statement::allow(["cloudwatch:PutMetricData"]).on_all();
        self.role.allow(statement.when("StringEquals", "cloudwatch:namespace", namespace));
        self
    }

    /// Lets the log go to a group, and lets ECS pull the image and write the log.
    #[track_caller]
    pub fn runs_with(&self, scope: &Scope, log_group: &LogGroup, repository: &Repository) -> &Self {
        let execution = Role::new(scope, "Execution", "ecs-tasks.amazonaws.com", "What ECS needs to start the task");
        log_group.grant_write(&execution);
        repository.grant_pull(&execution);
        let options: [(&str, Value<String>); 5] = [
            ("awslogs-group", log_group.handle.name().text()),
            ("awslogs-region", region()),
            ("awslogs-stream-prefix", "proxy".into()),
            ("max-buffer-size", "25m".into()),
            ("mode", "non-blocking".into()),
        ];
        let options: BTreeMap<_, _> = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let log = LogConfiguration::new("awslogs").options(options);
        self.handle.edit(|task| {
            task.execution_role_arn = Some(execution.arn());
            for container in task.container_definitions.iter_mut().flatten() {
                container.log_configuration = Some(log.clone());
            }
        });
        self
    }
}
