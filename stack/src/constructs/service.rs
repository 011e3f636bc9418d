//! A service on Fargate that scales itself.

use crate::cfn::autoscaling::{
    PolicyType, PredefinedMetricSpecification, PredefinedMetricType, ScalableDimension, ScalableTarget, ScalingPolicy,
    ServiceNamespace, TargetTrackingScalingPolicyConfiguration,
};
use crate::cfn::ecs;
use crate::cfn::ecs::{
    AssignPublicIp, AvailabilityZoneRebalancing, AwsVpcConfiguration, CapacityProviderStrategy,
    ClusterCapacityProviderAssociations, ClusterSettings, DeploymentCircuitBreaker, DeploymentConfiguration,
    LoadBalancer as Attached, NetworkConfiguration, PropagateTags,
};
use crate::core::{Condition, Handle, Scope, Value};

use super::{Alarm, LoadBalancer, Network, SecurityGroup, TargetGroup, Task};

/// Tasks in a cluster of their own. Defaults: a deployment never has fewer tasks than before it, and is rolled back when its
/// tasks do not come up; how many there are is for scaling to say, out at once and in slowly.
#[derive(Clone)]
pub struct Service {
    /// The cluster.
    pub cluster: Handle<ecs::Cluster>,
    /// The service.
    pub handle: Handle<ecs::Service>,
    /// The security group of the tasks.
    pub group: SecurityGroup,
    scope: Scope,
    target: Handle<ScalableTarget>,
    exists: Condition,
}

impl Service {
    /// A service of this name, with as few and as many tasks, which exists under a condition.
    #[track_caller]
    pub fn new(
        scope: &Scope,
        name: &str,
        service_name: &str,
        network: &Network,
        task: &Task,
        tasks: [&Value<i64>; 2],
        exists: &Condition,
    ) -> Self {
        let scope = scope.child(name);
        let insights = ClusterSettings::new("containerInsights", "enabled");
        let cluster = ecs::Cluster::new().cluster_name(Value::literal(service_name)).cluster_settings([insights]);
        let cluster = scope.add("Cluster", cluster);
        let strategy = CapacityProviderStrategy::new("FARGATE").base(0).weight(1);
        let providers = ["FARGATE".into()];
        let capacity = ClusterCapacityProviderAssociations::new(cluster.name(), providers, [strategy.clone()]);
        let capacity = scope.add("Capacity", capacity);
        let group = SecurityGroup::new(&scope, "Tasks", network, "Load balancer to the tasks");
        let vpc =
            AwsVpcConfiguration::new(network.private_ids(), [group.id()]).assign_public_ip(AssignPublicIp::Disabled);
        let handle = scope.main(
            ecs::Service::new()
                .service_name(Value::literal(service_name))
                .cluster(cluster.name())
                .task_definition(task.handle.arn())
                .capacity_provider_strategy([strategy])
                .network_configuration(NetworkConfiguration::new(vpc))
                .deployment_configuration(
                    DeploymentConfiguration::new()
                        .deployment_circuit_breaker(DeploymentCircuitBreaker::new(true, true))
                        .minimum_healthy_percent(100)
                        .maximum_percent(200),
                )
                .availability_zone_rebalancing(AvailabilityZoneRebalancing::Enabled)
                .enable_ecs_managed_tags(true)
                .propagate_tags(PropagateTags::Service),
        );
        // A cluster takes no service before it has its capacity, and does not give it up before the last is gone.
        handle.depends_on(&capacity);
        let [fewest, most] = tasks;
        let dimension = ScalableDimension::EcsServiceDesiredCount;
        let id = Value::join("/", ["service".into(), cluster.name().text(), handle.name().text()]);
        let target = scope.add("Scaling", ScalableTarget::new(ServiceNamespace::Ecs, dimension, id, fewest, most));
        task.handle.only_if(exists);
        handle.only_if(exists);
        target.only_if(exists);
        Self { cluster, handle, group, scope, target, exists: exists.clone() }
    }

    /// Takes requests from a load balancer, to which its rules are added before.
    #[track_caller]
    pub fn behind(&self, balancer: &LoadBalancer, targets: &TargetGroup, task: &Task) -> &Self {
        let (container, port) = &task.container;
        balancer.reaches(&self.group, targets.port);
        self.handle.edit(|service| {
            service.load_balancers = Some(vec![Attached::new(&**container, *port, targets.arn())]);
            service.health_check_grace_period_seconds = Some(60.into());
        });
        balancer.routes_before(&self.handle);
        self
    }

    /// Lets an alarm exist where the service does, and after it: before there are tasks it would go.
    pub fn watched_by(&self, alarm: &Alarm) -> &Self {
        alarm.handle.only_if(&self.exists).depends_on(&self.target);
        self
    }

    /// Keeps the processors this busy, in percent.
    #[track_caller]
    pub fn scale_on_cpu(&self, percent: f64) -> &Self {
        self.track(
            "Cpu",
            PredefinedMetricSpecification::new(PredefinedMetricType::EcsServiceAverageCpuUtilization),
            percent,
        )
    }

    /// Keeps the memory this full, in percent.
    #[track_caller]
    pub fn scale_on_memory(&self, percent: f64) -> &Self {
        self.track(
            "Memory",
            PredefinedMetricSpecification::new(PredefinedMetricType::EcsServiceAverageMemoryUtilization),
            percent,
        )
    }

    /// Keeps so many requests a minute at each task.
    #[track_caller]
    pub fn scale_on_requests(&self, balancer: &LoadBalancer, targets: &TargetGroup, a_minute: f64) -> &Self {
        let label = Value::join("/", [balancer.handle.full_name().text(), targets.handle.full_name().text()]);
        let metric =
            PredefinedMetricSpecification::new(PredefinedMetricType::AlbRequestCountPerTarget).resource_label(label);
        self.track("Requests", metric, a_minute)
    }

    #[track_caller]
    fn track(&self, name: &str, metric: PredefinedMetricSpecification, value: f64) -> &Self {
        let configuration = TargetTrackingScalingPolicyConfiguration::new(value)
            .predefined_metric_specification(metric)
            .scale_in_cooldown(300)
            .scale_out_cooldown(60);
        let policy = ScalingPolicy::new(Value::literal(name), PolicyType::TargetTrackingScaling)
            .scaling_target_id(self.target.id())
            .target_tracking_scaling_policy_configuration(configuration);
        self.scope.add(&format!("Scale{name}"), policy).only_if(&self.exists);
        self
    }
}
