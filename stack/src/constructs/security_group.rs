//! Security groups that speak of each other.

use crate::cfn::{Id, ec2};
use crate::core::{Handle, Scope, Value};

use super::Network;

/// A security group. Defaults: nothing in, nothing out.
#[derive(Clone)]
pub struct SecurityGroup {
    /// The way out.
    pub handle: Handle<ec2::SecurityGroup>,
    scope: Scope,
    name: String,
}

/// Where a group has no rule for what goes out, EC2 allows everything; this one reaches nobody.
fn dead_end() -> ec2::Egress {
    ec2::Egress::new("icmp")
        .cidr_ip("255.255.255.255/32")
        .description("Nothing goes out")
        .from_port(Value::literal(252))
        .to_port(Value::literal(86))
}

impl SecurityGroup {
    /// A group in a network.
    #[track_caller]
    pub fn new(scope: &Scope, name: &str, network: &Network, description: &str) -> Self {
        let scope = scope.child(name);
        let handle = scope
            .main(ec2::SecurityGroup::new(description).vpc_id(network.vpc.id()).security_group_egress([dead_end()]));
        Self { handle, scope, name: name.to_owned() }
    }

    /// Lets another group in at a port, and lets that group out to here.
    #[track_caller]
    pub fn allow_from(&self, other: &Self, port: u16, description: &str) -> &Self {
        let ingress = ec2::SecurityGroupIngress::new("tcp", self.id())
            .source_security_group_id(other.id())
            .description(description)
            .from_port(port)
            .to_port(port);
        self.scope.add(&format!("From{}{port}", other.name), ingress);
        let egress = ec2::SecurityGroupEgress::new("tcp", other.id())
            .destination_security_group_id(self.id())
            .description(description)
            .from_port(port)
            .to_port(port);
        other.scope.add(&format!("To{}{port}", self.name), egress);
        self
    }

    /// Lets everybody in at a port.
    pub fn allow_from_anywhere(&self, port: u16, description: &str) -> &Self {
        let rule = ec2::Ingress::new("tcp").cidr_ip("0.0.0.0/0").description(description).from_port(port).to_port(port);
        self.handle.edit(|group| group.security_group_ingress.get_or_insert_default().push(rule));
        self
    }

    /// Lets this group out to anywhere at a port.
    pub fn allow_to_anywhere(&self, port: u16, description: &str) -> &Self {
        let rule = ec2::Egress::new("tcp").cidr_ip("0.0.0.0/0").description(description).from_port(port).to_port(port);
        self.handle.edit(|group| {
            let rules = group.security_group_egress.get_or_insert_default();
            // It reaches nobody, and a group with another rule of this kind has no need of it.
            rules.retain(|rule| rule.cidr_ip != dead_end().cidr_ip);
            rules.push(rule);
        });
        self
    }

    /// The id.
    pub fn id(&self) -> Value<Id<ec2::SecurityGroup>> {
        self.handle.id()
    }
}
