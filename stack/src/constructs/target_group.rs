//! Target groups: the tasks behind a load balancer.

use crate::cfn::elbv2::{Attribute, Matcher, Protocol, TargetType};
use crate::cfn::{Arn, elbv2};
use crate::core::{Handle, Scope, Value};

use super::Network;

/// Tasks at a port. Defaults: each request to the task with the fewest of them, 300 s for running requests of a task that
/// leaves, asked for its health every 30 s, with 5 s for the answer, 2 good ones to enter and 3 bad ones to leave.
#[derive(Clone)]
pub struct TargetGroup {
    /// The way out.
    pub handle: Handle<elbv2::TargetGroup>,
    /// The port of the tasks.
    pub port: u16,
}

impl TargetGroup {
    /// Tasks at a port, asked for their health at a path.
    #[track_caller]
    pub fn new(scope: &Scope, name: &str, network: &Network, port: u16, health_path: &str) -> Self {
        let attributes = [
            ("deregistration_delay.timeout_seconds", "300"),
            ("load_balancing.algorithm.type", "least_outstanding_requests"),
        ];
        let handle = scope.child(name).main(
            elbv2::TargetGroup::new()
                .port(port)
                .protocol(Protocol::Http)
                .target_type(TargetType::Ip)
                .vpc_id(network.vpc.id())
                .health_check_path(health_path)
                .health_check_protocol(Protocol::Http)
                .health_check_interval_seconds(30)
                .health_check_timeout_seconds(5)
                .healthy_threshold_count(2)
                .unhealthy_threshold_count(3)
                .matcher(Matcher::new().http_code("200"))
                .target_group_attributes(attributes.map(|(key, value)| Attribute::new(key, value))),
        );
        Self { handle, port }
    }

    /// The ARN.
    pub fn arn(&self) -> Value<Arn<elbv2::TargetGroup>> {
        self.handle.arn()
    }
}
