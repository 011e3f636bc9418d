//! What becomes of each resource of a stack that is deleted.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

use serde_json::Value as Json;

use crate::changes::Snapshot;
use crate::deployed::Physical;
use crate::kept::Kept;

/// The plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// How many go, by service of AWS.
    gone: BTreeMap<String, usize>,
    /// What stays.
    pub(super) kept: Vec<Kept>,
    /// Those that AWS refuses to delete, by type and name.
    pub(super) protected: Vec<String>,
    /// By logical id.
    resources: BTreeMap<String, Physical>,
}

impl Plan {
    /// What exists, and what the template says about it.
    pub(super) fn new(snapshot: &Snapshot, resources: &BTreeMap<String, Physical>) -> Self {
        let mut plan = Self { resources: resources.clone(), ..Self::default() };
        for (logical, physical) in resources {
            let body = snapshot.resources.get(logical).map_or(&Json::Null, |resource| &resource.body);
            let Physical { id, type_name } = physical.clone();
            if is_protected(&type_name, &body["Properties"]) {
                plan.protected.push(format!("{type_name} {id}"));
            }
            match body["DeletionPolicy"].as_str() {
                Some("Retain") => plan.kept.push(Kept { type_name, id, snapshot: false }),
                policy => {
                    let service = type_name.split("::").nth(1).unwrap_or(&type_name).to_owned();
                    *plan.gone.entry(service).or_default() += 1;
                    if policy == Some("Snapshot") {
                        plan.kept.push(Kept { type_name, id, snapshot: true });
                    }
                }
            }
        }
        plan.kept.sort_by(|a, b| (&a.type_name, &a.id).cmp(&(&b.type_name, &b.id)));
        plan
    }

    /// What to do where one could not be deleted, if it is known.
    pub(super) fn remedy(&self, logical: &str, region: &str) -> Option<String> {
        let Physical { id, type_name } = self.resources.get(logical)?;
        match type_name.as_str() {
            "AWS::RDS::DBCluster" => Some(format!(
                "if it is protected: aws rds modify-db-cluster --region {region} --db-cluster-identifier {id} --no-deletion-protection"
            )),
            "AWS::ElasticLoadBalancingV2::LoadBalancer" => Some(format!(
                "if it is protected: aws elbv2 modify-load-balancer-attributes --region {region} --load-balancer-arn {id} --attributes Key=deletion_protection.enabled,Value=false"
            )),
            "AWS::EC2::VPC" | "AWS::EC2::Subnet" | "AWS::EC2::SecurityGroup" => Some(format!(
                "something else is in it: aws ec2 describe-network-interfaces --region {region} --filters Name={},Values={id}",
                match type_name.as_str() {
                    "AWS::EC2::VPC" => "vpc-id",
                    "AWS::EC2::Subnet" => "subnet-id",
                    _ => "group-id",
                }
            )),
            _ => None,
        }
    }
}

fn is_protected(type_name: &str, properties: &Json) -> bool {
    let is_true = |value: &Json| value == &Json::Bool(true) || value == "true";
    match type_name {
        "AWS::RDS::DBCluster" => is_true(&properties["DeletionProtection"]),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => {
            let attributes = properties["LoadBalancerAttributes"].as_array();
            attributes
                .into_iter()
                .flatten()
                .any(|attribute| attribute["Key"] == "deletion_protection.enabled" && is_true(&attribute["Value"]))
        }
        _ => false,
    }
}

impl Display for Plan {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        let number: usize = self.gone.values().sum();
        let services: Vec<_> = self.gone.iter().map(|(service, number)| format!("{service} {number}")).collect();
        let counted = if services.is_empty() { String::new() } else { format!(": {}", services.join(", ")) };
        match number {
            0 => writeln!(out, "it has no resources")?,
            number => writeln!(out, "DELETED are {number} resources{counted}")?,
        }
        for kept in self.kept.iter().filter(|kept| kept.snapshot) {
            writeln!(out, "DELETED after a last snapshot: {} {}", kept.type_name, kept.id)?;
        }
        for kept in self.kept.iter().filter(|kept| !kept.snapshot) {
            writeln!(out, "kept: {} {}", kept.type_name, kept.id)?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A stack of ours with these parameters, as if everything of it were there.
    pub(in crate::destroy) fn plan(parameters: &[(&str, &str)]) -> Plan {
        let template = stack::proxy_stack::proxy_stack().synth().expect("the stack is in order").yaml;
        let values = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let snapshot = Snapshot::new(&template, &values).expect("a template");
        let physical = snapshot.resources.iter().map(|(logical, resource)| {
            (logical.clone(), Physical { id: format!("{logical}-id"), type_name: resource.type_name.clone() })
        });
        Plan::new(&snapshot, &physical.collect())
    }

    #[test]
    fn state_stays_and_the_rest_goes() {
        let plan = plan(&[("DeletionProtection", "false")]);
        let kept: Vec<_> = plan.kept.iter().filter(|kept| !kept.snapshot).map(|kept| kept.type_name.as_str()).collect();
        for type_name in ["AWS::SecretsManager::Secret", "AWS::KMS::Key", "AWS::ECR::Repository", "AWS::Logs::LogGroup"]
        {
            assert!(kept.contains(&type_name), "{type_name} is not in {kept:?}");
        }
        let snapshots: Vec<_> =
            plan.kept.iter().filter(|kept| kept.snapshot).map(|kept| kept.type_name.as_str()).collect();
        assert_eq!(snapshots, ["AWS::RDS::DBCluster"]);
        let text = plan.to_string();
        assert!(text.contains("EC2 ") && text.contains("DELETED after a last snapshot: AWS::RDS::DBCluster"), "{text}");
        assert_eq!(plan.protected, Vec::<String>::new());
    }

    #[test]
    fn what_refuses_to_be_deleted_is_seen_before() {
        let protected = plan(&[]).protected;
        assert_eq!(protected.len(), 2, "{protected:?}");
        assert!(protected.iter().any(|text| text.starts_with("AWS::RDS::DBCluster ")), "{protected:?}");
        assert!(protected.iter().any(|text| text.contains("LoadBalancer")), "{protected:?}");
    }

    #[test]
    fn what_is_not_there_is_neither_deleted_nor_kept() {
        let plan = Plan::new(&Snapshot::default(), &BTreeMap::new());
        assert_eq!(plan.to_string(), "it has no resources\n");
    }
}
