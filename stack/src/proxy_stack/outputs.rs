//! What a deployment and people need to know of the deployed stack.

use crate::cfn::elbv2;
use crate::constructs::{Database, Network, Repository, Service, Topic};
use crate::core::{Handle, Scope, Value};

pub(super) fn outputs(
    stack: &Scope,
    balancer: &Handle<elbv2::LoadBalancer>,
    (network, service): (&Network, &Service),
    (repository, database): (&Repository, &Database),
    alerts: &Topic,
) {
    stack.output("LoadBalancerDnsName", "Where the domain's record points", &balancer.dns_name());
    stack.output("RepositoryUri", "Where images are pushed", &repository.handle.uri());
    stack.output("DatabaseEndpoint", "Writer of the database", &database.cluster.endpoint());
    stack.output("ClusterName", "Cluster that runs the tasks", &service.cluster.name());
    let subnets = network.private_ids().into_iter().map(|subnet| subnet.text());
    stack.output("TaskSubnets", "Subnets of the tasks", &Value::<String>::join(",", subnets));
    stack.output("TaskSecurityGroup", "Security group of the tasks", &service.group.id());
    stack.output("AlertsTopicArn", "Topic of the alarms, for more subscribers", &alerts.arn());
}
