//! What a deployment can choose.

use serde_json::json;
use stack::core::Deployment;
use stack::proxy_stack::{PRODUCTION, SMALL};

use crate::support::{at, template, the, with};

fn exists(deployment: &Deployment<'_>, type_name: &str) -> usize {
    deployment.resources().filter(|(_, resource)| resource.type_name == type_name).count()
}

#[test]
fn the_presets_give_values_that_the_template_takes() {
    let (small, production) = (with(SMALL), with(PRODUCTION));
    assert_eq!([&small, &production].map(|preset| exists(preset, "AWS::EC2::NatGateway")), [1, 2]);
    let protected =
        |preset: &Deployment<'_>| preset.resolve(&the("AWS::RDS::DBCluster").property("/DeletionProtection"));
    assert_eq!([protected(&small), protected(&production)], [json!("false"), json!("true")]);
}

#[test]
fn without_an_image_there_is_everything_but_the_service() {
    let first = with(&[("HostedZoneId", "Z1")]);
    let later = with(&[("HostedZoneId", "Z1"), ("ImageDigest", "sha256:0")]);
    for type_name in ["AWS::ECS::Service", "AWS::ECS::TaskDefinition", "AWS::ApplicationAutoScaling::ScalableTarget"] {
        assert_eq!([exists(&first, type_name), exists(&later, type_name)], [0, 1], "{type_name}");
    }
    for type_name in ["AWS::ECR::Repository", "AWS::RDS::DBCluster", "AWS::ECS::Cluster"] {
        assert_eq!([exists(&first, type_name), exists(&later, type_name)], [1, 1], "{type_name}");
    }
    let quiet =
        |preset: &Deployment<'_>| preset.resources().any(|(_, alarm)| alarm.origin.path == "Alarms/UnhealthyTasks");
    assert_eq!([quiet(&first), quiet(&later)], [false, true], "no alarm about tasks that nobody has deployed");
}

#[test]
fn a_certificate_is_made_in_a_hosted_zone_or_given() {
    let made = with(&[("HostedZoneId", "Z1"), ("DomainName", "proxy.example.com")]);
    assert_eq!(exists(&made, "AWS::CertificateManager::Certificate"), 1);
    assert_eq!(exists(&made, "AWS::Route53::RecordSet"), 1);
    let certificate = the("AWS::CertificateManager::Certificate");
    assert_eq!(made.resolve(&certificate.property("/DomainName")), "proxy.example.com");
    assert_eq!(certificate.property("/ValidationMethod"), "DNS");
    let given = with(&[("CertificateArn", "arn:aws:acm:x")]);
    assert_eq!(exists(&given, "AWS::CertificateManager::Certificate"), 0);
    let used = given.resolve(&at("LoadBalancer/Https").property("/Certificates"));
    assert_eq!(used, json!([{ "CertificateArn": "arn:aws:acm:x" }]));
    assert!(template().rules["CertificateOrZone"].body["Assertions"][0]["AssertDescription"].is_string());
}

#[test]
fn port_80_the_firewall_and_mail_are_choices() {
    let count = |values: &[(&str, &str)], path: &str| {
        with(values).resources().filter(|(_, resource)| resource.origin.path.starts_with(path)).count()
    };
    assert_eq!(count(&[("HttpPort80", "off")], "LoadBalancer/Http"), 1, "the listener of HTTPS alone");
    assert_eq!(count(&[], "LoadBalancer/Http"), 4);
    assert_eq!([count(&[], "WebAcl"), count(&[("Waf", "on")], "WebAcl")], [0, 3]);
    assert_eq!([count(&[], "Alerts/Mail"), count(&[("AlarmEmail", "a@b")], "Alerts/Mail")], [0, 1]);
}

#[test]
fn a_value_that_the_template_would_refuse_is_told() {
    let refused = |name, value| Deployment::new(template(), &[(name, value)]).map(|_| ()).unwrap_err();
    assert!(refused("NatGateways", "3").contains("`NatGateways` cannot be `3`"));
    let told = refused("MinDatabaseCapacity", "0");
    assert!(told.contains("`MinDatabaseCapacity` cannot be `0`; give a number from 0.5 to 256"), "{told}");
    assert!(refused("NatGateway", "1").contains("there is no parameter `NatGateway`"));
}

/// What one value makes impossible or pointless of another part.
#[test]
fn no_value_contradicts_what_the_stack_is_built_for() {
    let refused = |name, value| Deployment::new(template(), &[(name, value)]).is_err();
    assert!(refused("MinTasks", "1"), "an alarm goes where there are fewer than two");
    assert!(refused("MaxTasks", "1"));
    assert!(refused("MaxDatabaseCapacity", "0.5"), "Aurora wants to be allowed one unit");
    assert!(!refused("MaxDatabaseCapacity", "1"));
    // RDS refuses settings of another family than that of the version.
    assert_eq!(template().parameters["EngineVersion"].body["AllowedPattern"], r"^15\.[0-9]+$");
    assert_eq!(the("AWS::RDS::DBClusterParameterGroup").property("/Family"), "aurora-postgresql15");
}

#[test]
fn the_processor_follows_the_image() {
    let platform = the("AWS::ECS::TaskDefinition").property("/RuntimePlatform");
    assert_eq!(with(&[]).resolve(&platform)["CpuArchitecture"], "X86_64");
    assert_eq!(with(&[("Architecture", "ARM64")]).resolve(&platform)["CpuArchitecture"], "ARM64");
}
