//! What the compiler refuses, and beside each the same done right, which shows that nothing else is wrong with it.

/// A place for a network takes no subnet.
///
/// ```compile_fail,E0277
/// # use stack::{cfn::ec2, core::Stack};
/// # let stack = Stack::new("");
/// let vpc = stack.add("Vpc", ec2::Vpc::new("10.0.0.0/16"));
/// let subnet = stack.add("Subnet", ec2::Subnet::new(vpc.id()));
/// ec2::RouteTable::new(subnet.id());
/// ```
/// ```
/// # use stack::{cfn::ec2, core::Stack};
/// # let stack = Stack::new("");
/// let vpc = stack.add("Vpc", ec2::Vpc::new("10.0.0.0/16"));
/// let subnet = stack.add("Subnet", ec2::Subnet::new(vpc.id()));
/// ec2::RouteTable::new(vpc.id());
/// ```
mod a_subnet_is_no_network {}

/// The id of a key is not its ARN; some services want the one, some the other.
///
/// ```compile_fail,E0277
/// # use stack::{cfn::{kms, logs}, core::Handle};
/// # fn encrypted(key: Handle<kms::Key>) {
/// logs::LogGroup::new().kms_key_id(key.id());
/// # }
/// ```
/// ```
/// # use stack::{cfn::{kms, logs}, core::Handle};
/// # fn encrypted(key: Handle<kms::Key>) {
/// logs::LogGroup::new().kms_key_id(key.arn());
/// # }
/// ```
mod an_id_is_no_arn {}

/// The ARN of a role is not that of a topic.
///
/// ```compile_fail,E0277
/// # use stack::{cfn::{iam, sns}, core::Handle};
/// # fn told(role: Handle<iam::Role>) {
/// sns::Subscription::new(role.arn(), sns::Protocol::Email);
/// # }
/// ```
/// ```
/// # use stack::{cfn::{iam, sns}, core::Handle};
/// # fn told(topic: Handle<sns::Topic>) {
/// sns::Subscription::new(topic.arn(), sns::Protocol::Email);
/// # }
/// ```
mod a_role_is_no_topic {}

/// A port is no text, and no number that is larger than a port.
///
/// ```compile_fail,E0277
/// stack::cfn::elbv2::TargetGroup::new().port("8000");
/// ```
/// ```compile_fail
/// stack::cfn::elbv2::TargetGroup::new().port(80_000_u16);
/// ```
/// ```
/// stack::cfn::elbv2::TargetGroup::new().port(8_000);
/// ```
mod a_port_is_a_port {}

/// What AWS requires cannot be left out.
///
/// ```compile_fail,E0061
/// stack::cfn::ec2::Vpc::new();
/// ```
/// ```
/// stack::cfn::ec2::Vpc::new("10.0.0.0/16");
/// ```
mod a_required_property_is_required {}

/// What AWS does not have cannot be set.
///
/// ```compile_fail,E0599
/// stack::cfn::sns::Topic::new().topic_nam("x");
/// ```
/// ```
/// stack::cfn::sns::Topic::new().topic_name("x");
/// ```
mod a_property_is_one_of_aws {}

/// An enumeration has AWS's words and no others.
///
/// ```compile_fail,E0599
/// stack::cfn::elbv2::LoadBalancer::new().scheme(stack::cfn::elbv2::Scheme::Public);
/// ```
/// ```
/// stack::cfn::elbv2::LoadBalancer::new().scheme(stack::cfn::elbv2::Scheme::InternetFacing);
/// ```
mod a_word_is_one_of_aws {}

/// A parameter has its kind: a number of tasks is no capacity of a database.
///
/// ```compile_fail,E0277
/// # use stack::{cfn::rds, core::{Parameter, Stack}};
/// # let stack = Stack::new("");
/// let tasks = stack.parameter("Tasks", Parameter::number("Tasks"));
/// rds::ServerlessV2ScalingConfiguration::new(&tasks, &tasks);
/// ```
/// ```
/// # use stack::{cfn::rds, core::{Parameter, Stack}};
/// # let stack = Stack::new("");
/// let capacity = stack.parameter("Capacity", Parameter::<f64>::number_of("Capacity"));
/// rds::ServerlessV2ScalingConfiguration::new(&capacity, &capacity);
/// ```
mod a_parameter_has_its_kind {}

/// An L2 construct takes constructs, and not texts that may name anything.
///
/// ```compile_fail,E0308
/// # use stack::{constructs::{Network, SecurityGroup}, core::Stack};
/// # fn grouped(stack: &Stack, network: &Network, group: &SecurityGroup) {
/// group.allow_from("sg-12345678", 5432, "PostgreSQL");
/// # }
/// ```
/// ```
/// # use stack::{constructs::{Network, SecurityGroup}, core::Stack};
/// # fn grouped(stack: &Stack, network: &Network, group: &SecurityGroup) {
/// group.allow_from(group, 5432, "PostgreSQL");
/// # }
/// ```
mod constructs_speak_of_each_other {}
