//! L1: AWS's resource types with AWS's names, nothing invented. What a struct leaves out, `Handle::set` adds.
//!
//! A test compares every name, form, enumeration and attribute with the schemas that AWS publishes.
#![allow(missing_docs, reason = "the names are AWS's, and so is their documentation")]

pub mod acm;
pub mod autoscaling;
pub mod cloudwatch;
pub mod ec2;
pub mod ecr;
pub mod ecs;
pub mod elbv2;
pub mod iam;
pub mod kinds;
pub mod kms;
pub mod logs;
mod macros;
pub mod rds;
pub mod route53;
pub mod secretsmanager;
pub mod sns;
pub mod sqs;
pub mod waf;

pub use kinds::{Arn, AvailabilityZone, Cidr, HostName, Id, Name, Port, Tag};

use crate::core::{Described, ResourceType, Shape};

/// A resource type that knows its attributes, for the comparison with AWS's schema.
pub(crate) trait Catalogued: ResourceType + Described {
    const ATTRIBUTES: &'static [&'static str];
}

/// What L1 says about a resource type.
#[derive(Clone, Debug)]
pub struct Entry {
    /// AWS's name of the type.
    pub type_name: &'static str,
    /// Its properties.
    pub shape: Shape,
    /// What `Fn::GetAtt` is used with.
    pub attributes: &'static [&'static str],
    /// Whether it takes the property `Tags`.
    pub taggable: bool,
    /// Whether replacing it loses what it holds.
    pub stateful: bool,
}

/// Every resource type of L1.
pub fn catalogue() -> Vec<Entry> {
    fn entry<R: Catalogued>() -> Entry {
        Entry {
            type_name: R::TYPE,
            shape: R::shape(),
            attributes: R::ATTRIBUTES,
            taggable: R::TAGGABLE,
            stateful: R::STATEFUL,
        }
    }
    macro_rules! entries {
        ($($type_name:ty),* $(,)?) => { vec![$(entry::<$type_name>()),*] };
    }
    entries![
        acm::Certificate,
        autoscaling::ScalableTarget,
        autoscaling::ScalingPolicy,
        cloudwatch::Alarm,
        cloudwatch::Dashboard,
        ec2::Eip,
        ec2::FlowLog,
        ec2::InternetGateway,
        ec2::NatGateway,
        ec2::Route,
        ec2::RouteTable,
        ec2::SecurityGroup,
        ec2::SecurityGroupEgress,
        ec2::SecurityGroupIngress,
        ec2::Subnet,
        ec2::SubnetRouteTableAssociation,
        ec2::Vpc,
        ec2::VpcEndpoint,
        ec2::VpcGatewayAttachment,
        ecr::Repository,
        ecs::Cluster,
        ecs::ClusterCapacityProviderAssociations,
        ecs::Service,
        ecs::TaskDefinition,
        elbv2::Listener,
        elbv2::ListenerRule,
        elbv2::LoadBalancer,
        elbv2::TargetGroup,
        iam::Policy,
        iam::Role,
        kms::Alias,
        kms::Key,
        logs::LogGroup,
        rds::DbCluster,
        rds::DbClusterParameterGroup,
        rds::DbInstance,
        rds::DbSubnetGroup,
        route53::RecordSet,
        secretsmanager::Secret,
        secretsmanager::SecretTargetAttachment,
        sns::Subscription,
        sns::Topic,
        sns::TopicPolicy,
        sqs::Queue,
        sqs::QueuePolicy,
        waf::LoggingConfiguration,
        waf::WebAcl,
        waf::WebAclAssociation,
    ]
}
