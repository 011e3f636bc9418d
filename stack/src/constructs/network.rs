//! A network over two zones: public subnets for load balancers, private ones with a way out for everything else.

use serde_json::json;

use crate::cfn::{AvailabilityZone, Id, Tag, ec2};
use crate::core::{Condition, Handle, Policy, Scope, Value};

use super::{Alarm, Crosses, LogGroup, Metric, Role, Topic};

/// A network. Defaults: a NAT gateway in the first zone, no public addresses but those of the NAT gateways, S3 without them.
#[derive(Clone)]
pub struct Network {
    /// The network itself.
    pub vpc: Handle<ec2::Vpc>,
    /// One in each zone.
    pub public: [Handle<ec2::Subnet>; 2],
    /// One in each zone.
    pub private: [Handle<ec2::Subnet>; 2],
    /// The second exists under a condition.
    pub nat_gateways: [Handle<ec2::NatGateway>; 2],
    scope: Scope,
    internet: Handle<ec2::VpcGatewayAttachment>,
    two_nats: Condition,
}

impl Network {
    /// A network of these ranges; the second NAT gateway exists under a condition, and its zone has the first otherwise.
    #[track_caller]
    pub fn new(
        scope: &Scope,
        name: &str,
        range: &str,
        public: [&str; 2],
        private: [&str; 2],
        two_nats: &Condition,
    ) -> Self {
        let scope = scope.child(name);
        let vpc =
            scope.main(ec2::Vpc::new(range).enable_dns_hostnames(true).enable_dns_support(true).tags(called(name)));
        // What is in it goes with the stack; an empty network would stay for ever, and a region has five.
        vpc.policy(Policy::Delete);
        let gateway = scope.add("Internet", ec2::InternetGateway::new().tags(called(name)));
        let attachment = ec2::VpcGatewayAttachment::new(vpc.id()).internet_gateway_id(gateway.id());
        let internet = scope.add("InternetAttachment", attachment);
        let subnet = |kind: &str, index: usize, range: &str| {
            let name = format!("{kind}{}", ["A", "B"][index]);
            let subnet = ec2::Subnet::new(vpc.id())
                .availability_zone(zone(index))
                .cidr_block(range)
                .map_public_ip_on_launch(false)
                .tags(called(&name));
            scope.child(&name).add("Subnet", subnet)
        };
        let public = [0, 1].map(|index| subnet("Public", index, public[index]));
        let private = [0, 1].map(|index| subnet("Private", index, private[index]));

        let routes = scope.add("PublicRoutes", ec2::RouteTable::new(vpc.id()).tags(called("Public")));
        let out = ec2::Route::new(routes.id()).destination_cidr_block("0.0.0.0/0").gateway_id(gateway.id());
        scope.add("PublicRoute", out).depends_on(&internet);
        for (name, subnet) in ["PublicA", "PublicB"].into_iter().zip(&public) {
            scope.child(name).add("Routes", ec2::SubnetRouteTableAssociation::new(routes.id(), subnet.id()));
        }
        let nat_gateways = [
            nat_gateway(&scope.child("PublicA"), &public[0], &internet, None),
            nat_gateway(&scope.child("PublicB"), &public[1], &internet, Some(two_nats)),
        ];
        let network = Self { vpc, public, private, nat_gateways, scope, internet, two_nats: two_nats.clone() };
        network.private_routes(two_nats);
        network
    }

    fn private_routes(&self, two_nats: &Condition) {
        let [first, second] = &self.nat_gateways;
        let ways_out = [first.id(), Value::when(two_nats, second.id(), first.id())];
        let tables =
            ["PrivateA", "PrivateB"].into_iter().zip(&self.private).zip(ways_out).map(|((name, subnet), nat)| {
                let scope = self.scope.child(name);
                let table = scope.add("Table", ec2::RouteTable::new(self.vpc.id()).tags(called(name)));
                scope.add("Routes", ec2::SubnetRouteTableAssociation::new(table.id(), subnet.id()));
                scope.add("Out", ec2::Route::new(table.id()).destination_cidr_block("0.0.0.0/0").nat_gateway_id(nat));
                table.id()
            });
        // Layers of images and database backups would cost by the gigabyte through a NAT gateway.
        let s3 = ec2::VpcEndpoint::new(self.vpc.id())
            .route_table_ids(tables.collect::<Vec<_>>())
            .service_name(Value::sub("com.amazonaws.${AWS::Region}.s3"))
            .vpc_endpoint_type(ec2::VpcEndpointType::Gateway);
        self.scope.add("S3", s3);
    }

    /// Logs what security groups refuse.
    #[track_caller]
    pub fn log_rejects(&self, log_group: &LogGroup) -> &Self {
        let scope = self.scope.child("FlowLog");
        let role = Role::new(&scope, "Role", "vpc-flow-logs.amazonaws.com", "Flow logs of the network");
        log_group.grant_write(&role);
        let flow_log = ec2::FlowLog::new(self.vpc.id(), ec2::FlowLogResourceType::Vpc)
            .deliver_logs_permission_arn(role.arn())
            .log_destination(log_group.destination())
            .log_destination_type(ec2::LogDestinationType::CloudWatchLogs)
            .traffic_type(ec2::TrafficType::Reject);
        scope.main(flow_log);
        self
    }

    /// Tells a topic when a NAT gateway has no port left for a new connection.
    #[track_caller]
    pub fn ports_run_out(&self, topic: &Topic) {
        for (gateway, name) in self.nat_gateways.iter().zip(["NatPortErrorsA", "NatPortErrorsB"]) {
            let errors = Metric::sum("AWS/NATGateway", "ErrorPortAllocation").of("NatGatewayId", &gateway.id());
            let description = "A NAT gateway has no port for a new connection";
            let alarm = Alarm::on(&self.scope, name, description, &errors, Crosses::Above(0.0), topic);
            if name == "NatPortErrorsB" {
                alarm.handle.only_if(&self.two_nats);
            }
        }
    }

    /// Makes something wait until the network reaches the internet.
    pub fn reachable_before<R>(&self, resource: &Handle<R>) {
        resource.depends_on(&self.internet);
    }

    /// The public subnets.
    pub fn public_ids(&self) -> Vec<Value<Id<ec2::Subnet>>> {
        self.public.iter().map(Handle::<ec2::Subnet>::id).collect()
    }

    /// The private subnets as one text, with commas between them.
    pub fn private_list(&self) -> Value<String> {
        Value::<String>::join(",", self.private_ids().iter().map(Value::text))
    }

    /// The private subnets.
    pub fn private_ids(&self) -> Vec<Value<Id<ec2::Subnet>>> {
        self.private.iter().map(Handle::<ec2::Subnet>::id).collect()
    }
}

fn called(name: &str) -> [Tag; 1] {
    [Tag::new("Name", Value::sub(&format!("${{AWS::StackName}}/{name}")))]
}

/// The zones of a region are not always called a and b.
pub(super) fn zone(index: usize) -> Value<AvailabilityZone> {
    Value::literal(json!({ "Fn::Select": [index, { "Fn::GetAZs": "" }] }))
}

#[track_caller]
fn nat_gateway(
    scope: &Scope,
    subnet: &Handle<ec2::Subnet>,
    internet: &Handle<ec2::VpcGatewayAttachment>,
    only_if: Option<&Condition>,
) -> Handle<ec2::NatGateway> {
    let address = scope.add("Address", ec2::Eip::new().domain(ec2::Domain::Vpc));
    address.depends_on(internet);
    let gateway = ec2::NatGateway::new().allocation_id(address.allocation_id()).subnet_id(subnet.id());
    let gateway = scope.add("Nat", gateway);
    gateway.depends_on(internet);
    if let Some(condition) = only_if {
        address.only_if(condition);
        gateway.only_if(condition);
    }
    gateway
}
