//! The template that the tests look at, synthesised once.

use std::sync::LazyLock;

use serde_json::{Value as Json, json};
use stack::core::{Assembly, Deployment, Resource, Template};
use stack::proxy_stack::proxy_stack;

/// The synthesised stack.
pub(crate) fn assembly() -> &'static Assembly {
    static ASSEMBLY: LazyLock<Assembly> =
        LazyLock::new(|| proxy_stack().synth().unwrap_or_else(|told| panic!("{told}")));
    &ASSEMBLY
}

/// Its template.
pub(crate) fn template() -> &'static Template {
    &assembly().template
}

/// The only resource of a type.
#[track_caller]
pub(crate) fn the(type_name: &str) -> &'static Resource {
    template().the(type_name)
}

/// The resource at a path.
#[track_caller]
pub(crate) fn at(path: &str) -> &'static Resource {
    template().at(path)
}

/// What `Ref` of the resource at a path is.
#[track_caller]
pub(crate) fn reference(path: &str) -> Json {
    json!({ "Ref": id(path) })
}

/// What `Fn::GetAtt` of the resource at a path is.
#[track_caller]
pub(crate) fn attribute(path: &str, attribute: &str) -> Json {
    json!({ "Fn::GetAtt": [id(path), attribute] })
}

/// The logical id of the resource at a path.
#[track_caller]
pub(crate) fn id(path: &str) -> &'static str {
    let found = template().resources.iter().find(|(_, resource)| resource.origin.path == path);
    found.map_or_else(|| panic!("nothing is at {path}"), |(id, _)| id.as_str())
}

/// A deployment with the defaults and these values.
pub(crate) fn with(values: &[(&str, &str)]) -> Deployment<'static> {
    Deployment::new(template(), values).unwrap_or_else(|told| panic!("{told}"))
}

/// A property with the parameters' defaults in it.
#[track_caller]
pub(crate) fn by_default(resource: &Resource, pointer: &str) -> Json {
    with(&[]).resolve(&resource.property(pointer))
}

/// The value of an attribute of a load balancer, a listener or a target group.
#[track_caller]
pub(crate) fn setting(resource: &Resource, list: &str, key: &str) -> Json {
    let settings = with(&[]).resolve(&resource.property(list));
    let found = settings.as_array().into_iter().flatten().find(|setting| setting["Key"] == key);
    found.map_or_else(|| panic!("{key} is not set, but {settings}"), |setting| setting["Value"].clone())
}

/// The container of the task.
pub(crate) fn container() -> Json {
    let containers = the("AWS::ECS::TaskDefinition").property("/ContainerDefinitions");
    assert_eq!(containers.as_array().map(Vec::len), Some(1), "one container");
    containers[0].clone()
}

/// What a security group lets in or out, as (port, other side), with the rules that are resources of their own.
pub(crate) fn rules(path: &str, direction: Direction) -> Vec<(Json, Json)> {
    let group = attribute(path, "GroupId");
    let (inline, own, other) = match direction {
        Direction::In => ("/SecurityGroupIngress", "AWS::EC2::SecurityGroupIngress", "SourceSecurityGroupId"),
        Direction::Out => ("/SecurityGroupEgress", "AWS::EC2::SecurityGroupEgress", "DestinationSecurityGroupId"),
    };
    let inline = at(path).property(inline);
    let inline = inline.as_array().cloned().unwrap_or_default();
    let own = template().of_type(own).map(|(_, rule)| Json::Object(rule.properties.clone()));
    let all = inline.into_iter().chain(own.filter(|rule| rule["GroupId"] == group));
    all.map(|rule| {
        assert_eq!(rule["FromPort"] == rule["ToPort"], rule["IpProtocol"] == "tcp", "{rule}");
        (rule["FromPort"].clone(), if rule["CidrIp"].is_null() { rule[other].clone() } else { rule["CidrIp"].clone() })
    })
    .collect()
}

/// A direction of traffic, as seen from a security group.
#[derive(Clone, Copy)]
pub(crate) enum Direction {
    In,
    Out,
}
