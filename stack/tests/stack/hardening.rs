//! What the stack sets beyond the design that it was made from.

use serde_json::{Value as Json, json};
use stack::core::Resource;

use crate::support::{at, attribute, by_default, container, reference, setting, template, the, with};

fn policy(resource: &Resource) -> (Json, Json) {
    let written = json!(resource);
    (written["DeletionPolicy"].clone(), written["UpdateReplacePolicy"].clone())
}

#[test]
fn the_load_balancer_is_strict() {
    let https = at("LoadBalancer/Https");
    assert_eq!(https.property("/SslPolicy"), "ELBSecurityPolicy-TLS13-1-2-2021-06");
    let hsts = setting(https, "/ListenerAttributes", "routing.http.response.strict_transport_security.header_value");
    assert_eq!(hsts, "max-age=31536000; includeSubDomains");
    let balancer = the("AWS::ElasticLoadBalancingV2::LoadBalancer");
    let set = |key| setting(balancer, "/LoadBalancerAttributes", key);
    assert_eq!(set("routing.http.drop_invalid_header_fields.enabled"), "true");
    assert_eq!(set("routing.http.desync_mitigation_mode"), "strictest");
    assert_eq!(set("deletion_protection.enabled"), "true");
    assert_eq!(set("idle_timeout.timeout_seconds"), "900");
    let attributes = balancer.property("/LoadBalancerAttributes").to_string();
    assert!(!attributes.contains("access_logs"), "they would hold access keys");
}

#[test]
fn a_deployment_that_fails_is_taken_back() {
    let deployment = the("AWS::ECS::Service").property("/DeploymentConfiguration");
    assert_eq!(deployment["DeploymentCircuitBreaker"], json!({ "Enable": true, "Rollback": true }));
    assert_eq!(deployment["MinimumHealthyPercent"], 100);
}

#[test]
fn the_container_can_do_nothing_but_its_work() {
    let container = container();
    assert_eq!(container["ReadonlyRootFilesystem"], true);
    assert_eq!(container["User"], "10001:10001");
    assert_eq!(container["LinuxParameters"]["Capabilities"], json!({ "Drop": ["ALL"] }));
    let folder =
        json!([{ "ContainerPath": "/var/lib/claude-code-proxy", "ReadOnly": false, "SourceVolume": "scratch" }]);
    assert_eq!(container["MountPoints"], folder, "one folder can be written to, for the journal");
    assert_eq!(
        container["HealthCheck"]["Command"],
        json!(["CMD", "/claude-code-proxy", "healthcheck"]),
        "no shell, no curl"
    );
    assert_eq!(container["LogConfiguration"]["Options"]["mode"], "non-blocking");
    let network = the("AWS::ECS::Service").property("/NetworkConfiguration/AwsvpcConfiguration");
    assert_eq!(network["AssignPublicIp"], "DISABLED");
    let private = ["Network/PrivateA/Subnet", "Network/PrivateB/Subnet"].map(reference);
    assert_eq!(network["Subnets"], json!(private));
}

#[test]
fn images_do_not_change_under_their_names() {
    let repository = the("AWS::ECR::Repository");
    assert_eq!(repository.property("/ImageTagMutability"), "IMMUTABLE");
    assert_eq!(repository.property("/ImageScanningConfiguration/ScanOnPush"), true);
    let image =
        json!({ "Fn::Join": ["@", [attribute("Repository/Resource", "RepositoryUri"), { "Ref": "ImageDigest" }]] });
    assert_eq!(container()["Image"], image);
}

#[test]
fn keys_are_kept_rotated_and_managed_by_those_who_cannot_use_them() {
    for key in ["DataKey/Resource", "OpsKey/Resource"].map(at) {
        assert_eq!(key.property("/EnableKeyRotation"), true);
        assert_eq!(policy(key), (json!("Retain"), json!("Retain")));
    }
    let statements = at("DataKey/Resource").property("/KeyPolicy/Statement");
    let mut users = 0;
    for statement in statements.as_array().expect("statements") {
        let covers = |action: &str| {
            let mut patterns = statement["Action"].as_array().into_iter().flatten().filter_map(Json::as_str);
            patterns.any(|pattern| match pattern.strip_suffix('*') {
                Some(beginning) => action.starts_with(beginning),
                None => action == pattern,
            })
        };
        let opening = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant"];
        if opening.into_iter().any(covers) {
            users += 1;
            assert_eq!(statement["Principal"]["AWS"], attribute("Task/Role/Resource", "Arn"));
            assert_eq!(statement["Condition"], json!({ "Null": { "kms:EncryptionContext:access_key_id": "false" } }));
        }
    }
    assert_eq!(users, 1, "nobody but the tasks opens Bedrock keys");
}

#[test]
fn everything_at_rest_is_encrypted_with_a_key_of_ours() {
    let ops = attribute("OpsKey/Resource", "Arn");
    for (type_name, pointer) in [
        ("AWS::Logs::LogGroup", "/KmsKeyId"),
        ("AWS::SecretsManager::Secret", "/KmsKeyId"),
        ("AWS::RDS::DBCluster", "/KmsKeyId"),
        ("AWS::RDS::DBInstance", "/PerformanceInsightsKMSKeyId"),
        ("AWS::ECR::Repository", "/EncryptionConfiguration/KmsKey"),
    ] {
        for (id, resource) in template().of_type(type_name) {
            assert_eq!(resource.property(pointer), ops, "{id}");
        }
    }
    for (id, topic) in template().of_type("AWS::SNS::Topic") {
        assert_eq!(topic.property("/KmsMasterKeyId"), reference("OpsKey/Resource"), "{id}");
    }
}

#[test]
fn the_database_is_hard_to_lose() {
    let cluster = the("AWS::RDS::DBCluster");
    assert_eq!(by_default(cluster, "/DeletionProtection"), "true");
    assert_eq!(policy(cluster), (json!("Snapshot"), json!("Snapshot")));
    assert_eq!(cluster.property("/EnableIAMDatabaseAuthentication"), true);
    for (id, instance) in template().of_type("AWS::RDS::DBInstance") {
        assert_eq!(instance.property("/EnablePerformanceInsights"), true, "{id}");
        assert_eq!(instance.property("/PubliclyAccessible"), false, "{id}");
    }
    let password = cluster.property("/MasterUserPassword").to_string();
    assert!(password.contains("{{resolve:secretsmanager:${Secret}:SecretString:password}}"), "{password}");
}

/// What nobody could make again stays when the stack goes; of the database a snapshot does, of the network nothing.
#[test]
fn what_stays_is_what_holds_something() {
    for (id, resource) in &template().resources {
        let expected = match resource.type_name {
            "AWS::RDS::DBCluster" => "Snapshot",
            "AWS::EC2::VPC" => "Delete",
            _ if resource.stateful => "Retain",
            _ => continue,
        };
        assert_eq!(policy(resource), (json!(expected), json!(expected)), "{id}");
    }
}

#[test]
fn the_network_shows_what_it_refuses_and_gives_no_addresses() {
    let flow = the("AWS::EC2::FlowLog");
    assert_eq!(flow.property("/TrafficType"), "REJECT");
    assert_eq!(
        the("AWS::EC2::VPCEndpoint").property("/VpcEndpointType"),
        "Gateway",
        "S3 is reached without a NAT gateway"
    );
    for (id, subnet) in template().of_type("AWS::EC2::Subnet") {
        assert_eq!(subnet.property("/MapPublicIpOnLaunch"), false, "{id}");
    }
}

#[test]
fn every_log_group_is_bounded() {
    let groups: Vec<_> = template().of_type("AWS::Logs::LogGroup").collect();
    assert_eq!(groups.len(), 4);
    for (id, group) in groups {
        assert_eq!(by_default(group, "/RetentionInDays"), 30, "{id}");
    }
}

#[test]
fn the_firewall_only_counts_what_prompts_look_like() {
    let acl = the("AWS::WAFv2::WebACL");
    for rule in acl.property("/Rules").as_array().expect("rules") {
        let group = &rule["Statement"]["ManagedRuleGroupStatement"];
        for changed in group["RuleActionOverrides"].as_array().into_iter().flatten() {
            assert_eq!(changed["ActionToUse"], json!({ "Count": {} }), "{changed}");
        }
        if group["Name"] == "AWSManagedRulesCommonRuleSet" {
            // A prompt is larger than 8 KB, and has code, paths and addresses in it.
            for rule in ["SizeRestrictions", "CrossSiteScripting", "GenericLFI", "GenericRFI", "EC2MetaDataSSRF"] {
                assert!(group.to_string().contains(&format!("\"{rule}_BODY\"")), "{rule}");
            }
        }
    }
    assert_eq!(acl.condition.as_deref(), Some("HasWaf"));
    let redacted = the("AWS::WAFv2::LoggingConfiguration").property("/RedactedFields").to_string();
    for secret in ["UriPath", "authorization", "x-api-key", "x-ccp-access-key"] {
        assert!(redacted.contains(secret), "{secret} in {redacted}");
    }
}

#[test]
fn the_dashboard_shows_what_people_ask_for() {
    let body = the("AWS::CloudWatch::Dashboard").property("/DashboardBody");
    let text = body["Fn::Sub"][0].as_str().expect("text");
    let parsed: Json = serde_json::from_str(text).expect("its body is JSON");
    let titles: Vec<_> =
        parsed["widgets"].as_array().expect("widgets").iter().map(|it| &it["properties"]["title"]).collect();
    assert_eq!(titles.len(), 10, "{titles:?}");
    assert!(
        text.contains(r#"SEARCH('{ClaudeCodeProxy,Provider,ErrorType} MetricName=\"ErrorCount\"', 'Sum', 300)"#),
        "{text}"
    );
    for statistic in ["p50", "p95", "p99"] {
        assert!(text.contains(&format!(r#""stat":"{statistic}""#)), "{statistic}");
    }
}

#[test]
fn a_deployment_and_people_find_what_they_need() {
    let outputs: Vec<_> = template().outputs.keys().map(String::as_str).collect();
    for name in
        ["LoadBalancerDnsName", "RepositoryUri", "DatabaseEndpoint", "ClusterName", "TaskSubnets", "TaskSecurityGroup"]
    {
        assert!(outputs.contains(&name), "{name}");
    }
    let subnets = with(&[]).resolve(&template().outputs["TaskSubnets"].body["Value"]);
    assert_eq!(subnets["Fn::Join"][1], json!(["Network/PrivateA/Subnet", "Network/PrivateB/Subnet"].map(reference)));
}

#[test]
fn nothing_is_there_that_nobody_asked_for() {
    let stranger = |type_name: &str| {
        ["AWS::Lambda::", "AWS::CloudFormation::", "Custom::"].iter().any(|it| type_name.starts_with(it))
    };
    assert!(!template().resources.values().any(|resource| stranger(resource.type_name)));
    assert!(!template().parameters.keys().any(|name| name.contains("Bootstrap")));
}
