//! Amazon ECS.

use std::collections::BTreeMap;

use super::macros::{resource, structure, words};
use super::{Arn, Id, Name, Port, Tag, ec2, elbv2, iam};
use crate::core::Value;

words! {
    NetworkMode { AwsVpc = "awsvpc", }
}

words! {
    Compatibility { Fargate = "FARGATE", }
}

words! {
    OperatingSystemFamily { Linux = "LINUX", }
}

words! {
    Protocol { Tcp = "tcp", Udp = "udp", }
}

words! {
    AssignPublicIp { Disabled = "DISABLED", Enabled = "ENABLED", }
}

words! {
    PropagateTags { Service = "SERVICE", TaskDefinition = "TASK_DEFINITION", }
}

words! {
    AvailabilityZoneRebalancing { Disabled = "DISABLED", Enabled = "ENABLED", }
}

words! {
    VersionConsistency { Disabled = "disabled", Enabled = "enabled", }
}

structure! {
    ClusterSettings { name: Value<String>, value: Value<String>, ; }
}

structure! {
    CapacityProviderStrategy { capacity_provider: Value<String>, ; base: Value<i64>, weight: Value<i64>, }
}

structure! {
    KeyValuePair { name: Value<String>, value: Value<String>, ; }
}

structure! {
    Secret { name: Value<String>, value_from: Value<String>, ; }
}

structure! {
    HealthCheck {
        command: Vec<Value<String>>,
        ;
        interval: Value<i64>,
        retries: Value<i64>,
        start_period: Value<i64>,
        timeout: Value<i64>,
    }
}

structure! {
    KernelCapabilities { ; drop: Vec<Value<String>>, }
}

structure! {
    LinuxParameters { ; capabilities: KernelCapabilities, init_process_enabled: Value<bool>, }
}

structure! {
    LogConfiguration { log_driver: Value<String>, ; options: BTreeMap<String, Value<String>>, }
}

structure! {
    MountPoint { ; container_path: Value<String>, read_only: Value<bool>, source_volume: Value<String>, }
}

structure! {
    PortMapping { container_port: Value<Port>, ; protocol: Protocol, }
}

structure! {
    RuntimePlatform { ; cpu_architecture: Value<String>, operating_system_family: OperatingSystemFamily, }
}

structure! {
    Ulimit { name: Value<String>, hard_limit: Value<i64>, soft_limit: Value<i64>, ; }
}

structure! {
    Volume { name: Value<String>, ; }
}

structure! {
    ContainerDefinition {
        name: Value<String>,
        image: Value<String>,
        ;
        command: Vec<Value<String>>,
        environment: Vec<KeyValuePair>,
        essential: Value<bool>,
        health_check: HealthCheck,
        linux_parameters: LinuxParameters,
        log_configuration: LogConfiguration,
        mount_points: Vec<MountPoint>,
        port_mappings: Vec<PortMapping>,
        readonly_root_filesystem: Value<bool>,
        secrets: Vec<Secret>,
        stop_timeout: Value<i64>,
        ulimits: Vec<Ulimit>,
        user: Value<String>,
        version_consistency: VersionConsistency,
    }
}

structure! {
    DeploymentCircuitBreaker { enable: Value<bool>, rollback: Value<bool>, ; }
}

structure! {
    DeploymentConfiguration {
        ;
        deployment_circuit_breaker: DeploymentCircuitBreaker,
        maximum_percent: Value<i64>,
        minimum_healthy_percent: Value<i64>,
    }
}

structure! {
    LoadBalancer {
        container_name: Value<String>,
        container_port: Value<Port>,
        target_group_arn: Value<Arn<elbv2::TargetGroup>>,
        ;
    }
}

structure! {
    AwsVpcConfiguration {
        subnets: Vec<Value<Id<ec2::Subnet>>>,
        security_groups: Vec<Value<Id<ec2::SecurityGroup>>>,
        ;
        assign_public_ip: AssignPublicIp,
    }
}

structure! {
    NetworkConfiguration { awsvpc_configuration: AwsVpcConfiguration, ; }
}

resource! {
    Cluster = "AWS::ECS::Cluster" [TAGGABLE = true] {
        ;
        cluster_name: Value<Name<Cluster>>,
        cluster_settings: Vec<ClusterSettings>,
        tags: Vec<Tag>,
    }
    => name: Name<Cluster>;
    arn = "Arn": Arn<Cluster>;
}

resource! {
    ClusterCapacityProviderAssociations = "AWS::ECS::ClusterCapacityProviderAssociations" {
        cluster: Value<Name<Cluster>>,
        capacity_providers: Vec<Value<String>>,
        default_capacity_provider_strategy: Vec<CapacityProviderStrategy>,
        ;
    }
}

resource! {
    TaskDefinition = "AWS::ECS::TaskDefinition" [TAGGABLE = true] {
        ;
        container_definitions: Vec<ContainerDefinition>,
        cpu: Value<String>,
        execution_role_arn: Value<Arn<iam::Role>>,
        family: Value<String>,
        memory: Value<String>,
        network_mode: NetworkMode,
        requires_compatibilities: Vec<Compatibility>,
        runtime_platform: RuntimePlatform,
        task_role_arn: Value<Arn<iam::Role>>,
        volumes: Vec<Volume>,
        tags: Vec<Tag>,
    }
    => arn: Arn<TaskDefinition>;
}

resource! {
    Service = "AWS::ECS::Service" [TAGGABLE = true] {
        ;
        availability_zone_rebalancing: AvailabilityZoneRebalancing,
        capacity_provider_strategy: Vec<CapacityProviderStrategy>,
        cluster: Value<Name<Cluster>>,
        deployment_configuration: DeploymentConfiguration,
        desired_count: Value<i64>,
        enable_ecs_managed_tags as "EnableECSManagedTags": Value<bool>,
        health_check_grace_period_seconds: Value<i64>,
        load_balancers: Vec<LoadBalancer>,
        network_configuration: NetworkConfiguration,
        platform_version: Value<String>,
        propagate_tags: PropagateTags,
        service_name: Value<Name<Service>>,
        task_definition: Value<Arn<TaskDefinition>>,
        tags: Vec<Tag>,
    }
    => arn: Arn<Service>;
    name = "Name": Name<Service>;
}
