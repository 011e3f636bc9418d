//! What a deployment opens or closes: statements of policies, rules of security groups, paths and networks of listeners.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value as Json;

use super::Snapshot;
use super::snapshot::Resource;

/// Something that somebody may do, in a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Grant {
    /// The resource that says so.
    pub(crate) id: String,
    /// Who may what.
    pub(crate) text: String,
}

/// The grants that come, and those that go.
pub(crate) fn broadening(old: &Snapshot, new: &Snapshot) -> (Vec<Grant>, Vec<Grant>) {
    let [old, new] = [old, new].map(grants);
    (new.difference(&old).cloned().collect(), old.difference(&new).cloned().collect())
}

fn grants(snapshot: &Snapshot) -> BTreeSet<Grant> {
    let of = |(id, resource): (&String, &Resource)| {
        let id = id.clone();
        lines(resource).into_iter().map(move |text| Grant { id: id.clone(), text })
    };
    snapshot.resources.iter().flat_map(of).collect()
}

fn lines(resource: &Resource) -> Vec<String> {
    let properties = &resource.body["Properties"];
    let list = |name: &str| properties[name].as_array().cloned().unwrap_or_default();
    match resource.type_name.as_str() {
        "AWS::EC2::SecurityGroup" => {
            let ways = [("in", list("SecurityGroupIngress")), ("out", list("SecurityGroupEgress"))];
            ways.iter().flat_map(|(way, rules)| rules.iter().map(|rule| traffic(way, rule))).collect()
        }
        "AWS::EC2::SecurityGroupIngress" => vec![traffic("in", properties)],
        "AWS::EC2::SecurityGroupEgress" => vec![traffic("out", properties)],
        "AWS::ElasticLoadBalancingV2::ListenerRule" => vec![format!(
            "requests with {} are answered by {}",
            list("Conditions").iter().map(condition).collect::<Vec<_>>().join(" and "),
            list("Actions").iter().map(|action| short(&action["Type"])).collect::<Vec<_>>().join(", ")
        )],
        _ => {
            let inline = list("Policies");
            let documents =
                ["PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy", "ResourcePolicy", "RepositoryPolicyText"]
                    .map(|name| &properties[name]);
            let documents = documents.into_iter().chain(inline.iter().map(|policy| &policy["PolicyDocument"]));
            let statements = documents.filter_map(|document| document["Statement"].as_array()).flatten().map(statement);
            let attached = list("ManagedPolicyArns");
            statements.chain(attached.iter().map(|arn| format!("whatever {} allows", short(arn)))).collect()
        }
    }
}

fn statement(statement: &Json) -> String {
    let mut text = format!("{} {}", short(&statement["Effect"]), each(&statement["Action"]));
    for (name, word) in [
        ("NotAction", "all but"),
        ("Resource", "on"),
        ("NotResource", "on all but"),
        ("Principal", "to"),
        ("Condition", "if"),
    ] {
        if let Some(value) = statement.get(name) {
            text.extend([" ", word, " ", &each(value)]);
        }
    }
    text
}

fn traffic(way: &str, rule: &Json) -> String {
    let ends = [
        "CidrIp",
        "CidrIpv6",
        "SourceSecurityGroupId",
        "DestinationSecurityGroupId",
        "SourcePrefixListId",
        "DestinationPrefixListId",
    ];
    let end = ends.iter().find_map(|name| rule.get(*name)).map_or_else(|| "anywhere".to_owned(), short);
    let ports = match (rule.get("FromPort"), rule.get("ToPort")) {
        (Some(from), Some(to)) if from == to => format!("port {}", short(from)),
        (Some(from), Some(to)) => format!("ports {} to {}", short(from), short(to)),
        _ => "every port".to_owned(),
    };
    let preposition = if way == "in" { "from" } else { "to" };
    format!("{way} {preposition} {end}, {} {ports}", short(&rule["IpProtocol"]))
}

fn condition(condition: &Json) -> String {
    let values =
        ["PathPatternConfig", "SourceIpConfig", "HostHeaderConfig"].iter().find_map(|name| condition.get(*name));
    format!("{} {}", short(&condition["Field"]), values.map(|values| each(&values["Values"])).unwrap_or_default())
}

/// A value, or values with commas between them.
fn each(value: &Json) -> String {
    match value {
        Json::Array(values) => values.iter().map(short).collect::<Vec<_>>().join(", "),
        other => short(other),
    }
}

/// A reference by the name of what it refers to, and anything else as JSON.
fn short(value: &Json) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    if let Some(name) = value["Ref"].as_str() {
        return name.to_owned();
    }
    match value["Fn::GetAtt"].as_array().map(Vec::as_slice) {
        Some([Json::String(id), Json::String(attribute)]) => format!("{id}.{attribute}"),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn snapshot(type_name: &str, properties: &Json) -> Snapshot {
        let template = json!({ "Resources": { "X": { "Type": type_name, "Properties": properties } } }).to_string();
        Snapshot::new(&template, &crate::settings::Values::new()).unwrap_or_default()
    }

    fn opened(type_name: &str, old: &Json, new: &Json) -> Vec<String> {
        let (come, _) = broadening(&snapshot(type_name, old), &snapshot(type_name, new));
        come.into_iter().map(|grant| grant.text).collect()
    }

    #[test]
    fn a_statement_more_is_told_and_those_that_stay_are_not() {
        let read = json!({ "Effect": "Allow", "Action": "s3:Get*", "Resource": "*" });
        let send = json!({ "Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:GetQueueUrl"],
            "Resource": { "Fn::GetAtt": ["Exports", "Arn"] }, "Principal": { "Service": "ecs.amazonaws.com" } });
        let policy = |statements: Json| json!({ "PolicyDocument": { "Statement": statements } });
        assert_eq!(
            opened("AWS::IAM::Policy", &policy(json!([read])), &policy(json!([read, send]))),
            [r#"Allow sqs:SendMessage, sqs:GetQueueUrl on Exports.Arn to {"Service":"ecs.amazonaws.com"}"#]
        );
        let role = json!({ "AssumeRolePolicyDocument": { "Statement": [send] }, "ManagedPolicyArns": ["arn:aws:iam::aws:policy/Admin"] });
        assert_eq!(opened("AWS::IAM::Role", &json!({}), &role).len(), 2);
    }

    #[test]
    fn what_a_network_lets_in_is_told() {
        let group = |network: &str| json!({ "SecurityGroupIngress": [{ "CidrIp": network, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443 }] });
        assert_eq!(
            opened("AWS::EC2::SecurityGroup", &group("10.0.0.0/8"), &group("0.0.0.0/0")),
            ["in from 0.0.0.0/0, tcp port 443"]
        );
        let rule = |network: &str| {
            json!({ "Actions": [{ "Type": "forward" }], "Conditions": [
            { "Field": "path-pattern", "PathPatternConfig": { "Values": ["/admin"] } },
            { "Field": "source-ip", "SourceIpConfig": { "Values": [network] } }] })
        };
        assert_eq!(
            opened("AWS::ElasticLoadBalancingV2::ListenerRule", &rule("10.0.0.0/8"), &rule("0.0.0.0/0")),
            ["requests with path-pattern /admin and source-ip 0.0.0.0/0 are answered by forward"]
        );
    }
}
