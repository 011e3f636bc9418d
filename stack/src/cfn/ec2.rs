//! Amazon EC2: networks, routes, gateways, security groups.

use super::macros::{resource, structure, words};
use super::{Arn, AvailabilityZone, Cidr, Id, Port, Tag, iam, logs};
use crate::core::Value;

words! {
    TrafficType { Accept = "ACCEPT", All = "ALL", Reject = "REJECT", }
}

words! {
    FlowLogResourceType { Vpc = "VPC", Subnet = "Subnet", NetworkInterface = "NetworkInterface", }
}

words! {
    LogDestinationType { CloudWatchLogs = "cloud-watch-logs", S3 = "s3", }
}

words! {
    VpcEndpointType { Gateway = "Gateway", Interface = "Interface", }
}

words! {
    Domain { Vpc = "vpc", }
}

resource! {
    Vpc = "AWS::EC2::VPC" [TAGGABLE = true, STATEFUL = true] {
        cidr_block: Value<Cidr>,
        ;
        enable_dns_hostnames: Value<bool>,
        enable_dns_support: Value<bool>,
        tags: Vec<Tag>,
    }
    => id: Id<Vpc>;
    cidr = "CidrBlock": Cidr;
}

resource! {
    Subnet = "AWS::EC2::Subnet" [TAGGABLE = true] {
        vpc_id: Value<Id<Vpc>>,
        ;
        availability_zone: Value<AvailabilityZone>,
        cidr_block: Value<Cidr>,
        map_public_ip_on_launch: Value<bool>,
        tags: Vec<Tag>,
    }
    => id: Id<Subnet>;
}

resource! {
    InternetGateway = "AWS::EC2::InternetGateway" [TAGGABLE = true] {
        ;
        tags: Vec<Tag>,
    }
    => id: Id<InternetGateway>;
}

resource! {
    VpcGatewayAttachment = "AWS::EC2::VPCGatewayAttachment" {
        vpc_id: Value<Id<Vpc>>,
        ;
        internet_gateway_id: Value<Id<InternetGateway>>,
    }
}

resource! {
    RouteTable = "AWS::EC2::RouteTable" [TAGGABLE = true] {
        vpc_id: Value<Id<Vpc>>,
        ;
        tags: Vec<Tag>,
    }
    => id: Id<RouteTable>;
}

resource! {
    Route = "AWS::EC2::Route" {
        route_table_id: Value<Id<RouteTable>>,
        ;
        destination_cidr_block: Value<Cidr>,
        gateway_id: Value<Id<InternetGateway>>,
        nat_gateway_id: Value<Id<NatGateway>>,
    }
}

resource! {
    SubnetRouteTableAssociation = "AWS::EC2::SubnetRouteTableAssociation" {
        route_table_id: Value<Id<RouteTable>>,
        subnet_id: Value<Id<Subnet>>,
        ;
    }
}

resource! {
    Eip = "AWS::EC2::EIP" [TAGGABLE = true] {
        ;
        domain: Domain,
        tags: Vec<Tag>,
    }
    allocation_id = "AllocationId": Id<Eip>;
    public_ip = "PublicIp": String;
}

resource! {
    NatGateway = "AWS::EC2::NatGateway" [TAGGABLE = true] {
        ;
        allocation_id: Value<Id<Eip>>,
        subnet_id: Value<Id<Subnet>>,
        tags: Vec<Tag>,
    }
    => id: Id<NatGateway>;
}

resource! {
    VpcEndpoint = "AWS::EC2::VPCEndpoint" [TAGGABLE = true] {
        vpc_id: Value<Id<Vpc>>,
        ;
        route_table_ids: Vec<Value<Id<RouteTable>>>,
        service_name: Value<String>,
        vpc_endpoint_type: VpcEndpointType,
        tags: Vec<Tag>,
    }
    => id: Id<VpcEndpoint>;
}

resource! {
    FlowLog = "AWS::EC2::FlowLog" [TAGGABLE = true] {
        resource_id: Value<Id<Vpc>>,
        resource_type: FlowLogResourceType,
        ;
        deliver_logs_permission_arn: Value<Arn<iam::Role>>,
        log_destination: Value<Arn<logs::LogGroup>>,
        log_destination_type: LogDestinationType,
        max_aggregation_interval: Value<i64>,
        traffic_type: TrafficType,
        tags: Vec<Tag>,
    }
}

structure! {
    Egress {
        ip_protocol: Value<String>,
        ;
        cidr_ip: Value<Cidr>,
        description: Value<String>,
        from_port: Value<Port>,
        to_port: Value<Port>,
    }
}

structure! {
    Ingress {
        ip_protocol: Value<String>,
        ;
        cidr_ip: Value<Cidr>,
        description: Value<String>,
        from_port: Value<Port>,
        to_port: Value<Port>,
    }
}

resource! {
    SecurityGroup = "AWS::EC2::SecurityGroup" [TAGGABLE = true] {
        group_description: Value<String>,
        ;
        security_group_egress: Vec<Egress>,
        security_group_ingress: Vec<Ingress>,
        vpc_id: Value<Id<Vpc>>,
        tags: Vec<Tag>,
    }
    id = "GroupId": Id<SecurityGroup>;
}

resource! {
    SecurityGroupIngress = "AWS::EC2::SecurityGroupIngress" {
        ip_protocol: Value<String>,
        group_id: Value<Id<SecurityGroup>>,
        ;
        cidr_ip: Value<Cidr>,
        source_security_group_id: Value<Id<SecurityGroup>>,
        description: Value<String>,
        from_port: Value<Port>,
        to_port: Value<Port>,
    }
}

resource! {
    SecurityGroupEgress = "AWS::EC2::SecurityGroupEgress" {
        ip_protocol: Value<String>,
        group_id: Value<Id<SecurityGroup>>,
        ;
        destination_security_group_id: Value<Id<SecurityGroup>>,
        description: Value<String>,
        from_port: Value<Port>,
        to_port: Value<Port>,
    }
}
