//! Whether the policies allow what AWS says that CloudFormation does for the types of the stack, and are policies at all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::{env, fs};

use clap::Parser as _;
use serde_json::Value as Json;

use super::document::{LIMIT, pack};
use super::{Names, deployer, reader};
use crate::Cli;

/// What the schemas name and the stack has no use for, with the reason. Each has to be named by them.
const NOT_USED: [(&str, &str); 57] = [
    ("acm-pca:", "the certificate is a public one"),
    ("amplify:", "the firewall is before a load balancer"),
    ("apigateway:", "the firewall is before a load balancer"),
    ("application-autoscaling:DeleteScheduledAction", "nothing scales by the clock"),
    ("application-autoscaling:PutScheduledAction", "nothing scales by the clock"),
    ("apprunner:", "the firewall is before a load balancer"),
    ("appsync:", "the firewall is before a load balancer"),
    ("autoscaling:", "what scales are tasks"),
    ("bedrock-agentcore:", "the firewall is before a load balancer"),
    ("cognito-idp:", "the load balancer knows no users"),
    ("docdb-elastic:", "the secret belongs to Aurora"),
    ("ec2:AcceptAddressTransfer", "addresses are new"),
    ("ec2:AssignPrivateNatGatewayAddress", "gateways have one public address"),
    ("ec2:AssociateNatGatewayAddress", "gateways have one public address"),
    ("ec2:AssociateSubnetCidrBlock", "networks have one block"),
    ("ec2:AssociateVerifiedAccessInstanceWebAcl", "the firewall is before a load balancer"),
    ("ec2:AttachVpnGateway", "there is no VPN"),
    ("ec2:CreateVpcEncryptionControl", "not set"),
    ("ec2:DetachVpnGateway", "there is no VPN"),
    ("ec2:DisassociateNatGatewayAddress", "gateways have one public address"),
    ("ec2:DisassociateSubnetCidrBlock", "networks have one block"),
    ("ec2:DisassociateVerifiedAccessInstanceWebAcl", "the firewall is before a load balancer"),
    ("ec2:GetVerifiedAccessInstanceWebAcl", "the firewall is before a load balancer"),
    ("ec2:ModifyVpcTenancy", "not set"),
    ("ec2:UnassignPrivateNatGatewayAddress", "gateways have one public address"),
    ("ecs:PutAccountSetting", "settings of the account are its owner's"),
    ("firehose:", "logs go to CloudWatch"),
    ("iam:DeleteRolePermissionsBoundary", "roles have no boundary"),
    ("iam:DescribeOrganization", "no firewall of an organisation"),
    ("iam:PutRolePermissionsBoundary", "roles have no boundary"),
    ("lambda:", "what scales are tasks"),
    ("logs:DeleteDataProtectionPolicy", "log groups have no such policies"),
    ("logs:DeleteIndexPolicy", "log groups have no such policies"),
    ("logs:DeleteResourcePolicy", "log groups have no such policies"),
    ("logs:PutBearerTokenAuthentication", "nothing logs in with tokens"),
    ("logs:PutDataProtectionPolicy", "log groups have no such policies"),
    ("logs:PutIndexPolicy", "log groups have no such policies"),
    ("logs:PutLogGroupDeletionProtection", "not set"),
    ("payments:", "no rule is bought"),
    ("rds:AddRoleTo", "the database has no role"),
    ("rds:DisableHttpEndpoint", "the database is reached by its network"),
    ("rds:EnableHttpEndpoint", "the database is reached by its network"),
    ("rds:PromoteReadReplica", "Aurora knows no such replica"),
    ("rds:RemoveFromGlobalCluster", "the database is in one region"),
    ("rds:RemoveRoleFrom", "the database has no role"),
    ("rds:Restore", "a snapshot is restored by hand"),
    ("rds:StartDBInstanceAutomatedBackupsReplication", "backups are those of the cluster"),
    ("rds:StopDBInstanceAutomatedBackupsReplication", "backups are those of the cluster"),
    ("redshift-serverless:", "the secret belongs to Aurora"),
    ("redshift:", "the secret belongs to Aurora"),
    ("s3:", "logs go to CloudWatch"),
    ("secretsmanager:RemoveRegionsFromReplication", "secrets are in one region"),
    ("secretsmanager:ReplicateSecretToRegions", "secrets are in one region"),
    ("sns:PutDataProtectionPolicy", "topics have no such policy"),
    ("vpc-lattice:", "the endpoint is that of S3"),
    ("vpce:", "the endpoint is in its own region"),
    ("wafv2:PutPermissionPolicy", "the firewall is shared with nobody"),
];

fn policies(arguments: &[&str], read_only: bool) -> Vec<Json> {
    let line = ["cargo xtask", "policy"].iter().chain(arguments);
    let place = Cli::try_parse_from(line).map_or_else(|error| panic!("{error}"), |cli| cli.place);
    let names = Names::new(&place, None, None).expect("the stack is in order");
    pack(&if read_only { reader::statements(&names) } else { deployer::statements(&names) })
}

fn statements(policies: &[Json]) -> impl Iterator<Item = &Json> {
    policies.iter().filter_map(|policy| policy["Statement"].as_array()).flatten()
}

fn allowed(policies: &[Json]) -> BTreeSet<String> {
    let actions = statements(policies).filter_map(|statement| statement["Action"].as_array()).flatten();
    actions.filter_map(Json::as_str).map(str::to_lowercase).collect()
}

fn allows(allowed: &BTreeSet<String>, action: &str) -> bool {
    let action = action.to_lowercase();
    allowed.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => action.starts_with(beginning),
        None => *pattern == action,
    })
}

/// Actions by the types whose handlers need them.
fn needed() -> BTreeMap<String, BTreeSet<String>> {
    let folder = PathBuf::from(
        env::var("CFN_SCHEMAS")
            .unwrap_or_else(|_| panic!("CFN_SCHEMAS is not set; run `cargo xtask test --only stack`")),
    );
    let read = |path: String| -> Json {
        let text = fs::read_to_string(folder.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let files = read("providers/us-east-1.json".to_owned());
    let template: Json =
        serde_json::from_str(&stack::proxy_stack::proxy_stack().synth().expect("in order").json).expect("JSON");
    let resources = template["Resources"].as_object().expect("resources");
    let types: BTreeSet<_> = resources.values().filter_map(|resource| resource["Type"].as_str()).collect();
    let mut needed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for type_name in types {
        let schema = read(format!("resources/{}.json", files[type_name].as_str().expect("a known type")));
        let handlers = schema["handlers"].as_object().expect("handlers").values();
        let handled = handlers.filter_map(|handler| handler["permissions"].as_array()).flatten();
        let tagging = schema["tagging"]["permissions"].as_array().into_iter().flatten();
        for action in handled.chain(tagging).filter_map(Json::as_str) {
            needed.entry(action.to_owned()).or_default().insert(type_name.to_owned());
        }
    }
    needed
}

#[test]
#[ignore = "needs AWS's schemas: cargo xtask test --only stack"]
fn whatever_cloudformation_does_for_the_stack_is_allowed() {
    let (allowed, needed) = (allowed(&policies(&[], false)), needed());
    assert!(needed.len() > 200, "the schemas are there");
    let excused = |action: &str| NOT_USED.iter().any(|(beginning, _)| action.starts_with(beginning));
    let missing: Vec<_> = needed.keys().filter(|action| !allows(&allowed, action) && !excused(action)).collect();
    assert!(missing.is_empty(), "add these to policy/deployer.rs, or to NOT_USED with a reason: {missing:?}");
    let needless =
        |beginning: &str| !needed.keys().any(|action| action.starts_with(beginning) && !allows(&allowed, action));
    let needless: Vec<_> = NOT_USED.iter().filter(|(beginning, _)| needless(beginning)).collect();
    assert!(needless.is_empty(), "nothing needs these excuses any more: {needless:?}");
}

#[test]
fn policies_are_within_the_limits_of_iam() {
    for policies in [
        policies(&[], false),
        policies(&["--region", "ap-northeast-2", "--stack", "a-much-longer-name-of-a-stack"], false),
        policies(&[], true),
    ] {
        for policy in &policies {
            let length = policy.to_string().chars().filter(|character| !character.is_whitespace()).count();
            assert!(length <= LIMIT, "{length}");
        }
        let ids: Vec<_> = statements(&policies).map(|statement| statement["Sid"].to_string()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
        for statement in statements(&policies) {
            let actions = statement["Action"].as_array().into_iter().flatten().filter_map(Json::as_str);
            for action in actions {
                let (service, name) = action.split_once(':').expect("service:Action");
                assert!(!service.is_empty() && name.len() > 3, "{action} allows too much");
            }
        }
    }
}

#[test]
fn a_region_binds_whatever_has_no_name() {
    let policies = policies(&["--region", "eu-west-1"], false);
    for statement in statements(&policies) {
        let global = ["AllRoles", "Zones"].iter().any(|sid| statement["Sid"] == *sid);
        if statement["Resource"][0] == "*" && !global {
            assert_eq!(statement["Condition"]["StringEquals"]["aws:RequestedRegion"], "eu-west-1", "{statement}");
        }
    }
}

#[test]
fn who_only_looks_may_change_nothing() {
    let allowed = allowed(&policies(&[], true));
    let looks = ["describe", "get", "list", "filter"];
    assert!(!allowed.is_empty());
    for action in &allowed {
        let name = action.split_once(':').expect("service:Action").1;
        assert!(looks.iter().any(|word| name.starts_with(word)), "{action}");
        assert_ne!(action, "secretsmanager:getsecretvalue");
    }
}
