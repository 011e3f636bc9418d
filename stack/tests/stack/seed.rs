//! Every value of the design that the infrastructure was made from, a line and an assert each, in its order.
//!
//! Its alarms are in `seed_alarms.rs`.
//! Where the stack does otherwise, `deviations.rs` says what it does instead.

use serde_json::json;

use crate::support::Direction::{In, Out};
use crate::support::{at, attribute, by_default, container, reference, rules, setting, template, the, with};

#[test]
fn ecs_fargate_service() {
    // Service
    let service = the("AWS::ECS::Service");
    assert_eq!(service.property("/ServiceName"), "claude-code-proxy", "name: claude-code-proxy");
    let strategy = service.property("/CapacityProviderStrategy");
    assert_eq!(strategy, json!([{ "CapacityProvider": "FARGATE", "Base": 0, "Weight": 1 }]), "launch_type: FARGATE");

    // Task
    let task = the("AWS::ECS::TaskDefinition");
    assert_eq!(task.property("/Cpu"), "512", "cpu: 512 (0.5 vCPU)");
    assert_eq!(task.property("/Memory"), "1024", "memory: 1024 (1 GB)");
    assert_eq!(task.property("/RequiresCompatibilities"), json!(["FARGATE"]), "launch_type: FARGATE");

    // Container
    assert_eq!(container()["Name"], "proxy", "name: proxy");
    assert_eq!(container()["PortMappings"], json!([{ "ContainerPort": 8000, "Protocol": "tcp" }]), "port: 8000");

    // Auto-Scaling
    let scaling = the("AWS::ApplicationAutoScaling::ScalableTarget");
    assert_eq!(by_default(scaling, "/MinCapacity"), 2, "min: 2");
    assert_eq!(by_default(scaling, "/MaxCapacity"), 10, "max: 10");
    let target = |metric: &str| {
        let tracked = json!({ "TargetTrackingScalingPolicyConfiguration": { "PredefinedMetricSpecification": { "PredefinedMetricType": metric } } });
        let policy = template().matching("AWS::ApplicationAutoScaling::ScalingPolicy", &tracked);
        policy.property("/TargetTrackingScalingPolicyConfiguration/TargetValue")
    };
    assert_eq!(target("ECSServiceAverageCPUUtilization"), 70.0, "cpu_target: 70%");
    assert_eq!(target("ECSServiceAverageMemoryUtilization"), 80.0, "memory_target: 80%");
}

#[test]
fn application_load_balancer() {
    // ALB
    let balancer = the("AWS::ElasticLoadBalancingV2::LoadBalancer");
    assert_eq!(balancer.property("/Type"), "application");
    assert_eq!(balancer.property("/Scheme"), "internet-facing", "scheme: internet-facing");

    // Listeners
    let https = at("LoadBalancer/Https");
    assert_eq!(https.property("/Port"), 443, "port: 443");
    assert_eq!(https.property("/Protocol"), "HTTPS", "protocol: HTTPS");
    let certificate = with(&[("HostedZoneId", "Z1")]).resolve(&https.property("/Certificates"));
    assert_eq!(certificate, json!([{ "CertificateArn": reference("Certificate/Resource") }]), "certificate: ACM");
    let http = at("LoadBalancer/Http");
    assert_eq!(http.property("/Port"), 80, "port: 80");
    assert_eq!(http.property("/Protocol"), "HTTP", "protocol: HTTP");
    let redirect = json!([{ "Type": "redirect", "RedirectConfig": { "StatusCode": "HTTP_301", "Port": "443", "Protocol": "HTTPS" } }]);
    assert_eq!(http.property("/DefaultActions"), redirect, "default_action: redirect to HTTPS");

    // Target Group
    let targets = the("AWS::ElasticLoadBalancingV2::TargetGroup");
    assert_eq!(targets.property("/Protocol"), "HTTP", "protocol: HTTP");
    assert_eq!(targets.property("/Port"), 8000, "port: 8000");
    assert_eq!(targets.property("/HealthCheckPath"), "/health", "path: /health");
    assert_eq!(targets.property("/HealthCheckIntervalSeconds"), 30, "interval: 30s");
    assert_eq!(targets.property("/HealthCheckTimeoutSeconds"), 5, "timeout: 5s");
    assert_eq!(targets.property("/HealthyThresholdCount"), 2, "healthy_threshold: 2");
    assert_eq!(targets.property("/UnhealthyThresholdCount"), 3, "unhealthy_threshold: 3");
}

#[test]
fn path_routing() {
    let forward = json!([{ "Type": "forward", "TargetGroupArn": reference("Targets/Resource") }]);
    let rule = at("LoadBalancer/AccessKeys");
    let path = json!([{ "Field": "path-pattern", "PathPatternConfig": { "Values": ["/ak/*"] } }]);
    assert_eq!(rule.property("/Conditions"), path, "path: /ak/*");
    assert_eq!(rule.property("/Actions"), forward, "target: proxy_target_group");
    for rule in ["LoadBalancer/Admin1", "LoadBalancer/Admin2", "LoadBalancer/Admin3"].map(at) {
        let conditions = rule.property("/Conditions");
        assert_eq!(conditions[0]["PathPatternConfig"]["Values"], json!(["/admin", "/admin/*"]), "path: /admin/*");
        assert_eq!(conditions[1]["Field"], "source-ip", "source_ip: [allowed_ips]");
        assert_eq!(rule.property("/Actions"), forward, "target: proxy_target_group");
    }
}

#[test]
fn aurora_postgresql_serverless_v2() {
    // Cluster
    let cluster = the("AWS::RDS::DBCluster");
    assert_eq!(cluster.property("/Engine"), "aurora-postgresql", "engine: aurora-postgresql");
    let scaling = by_default(cluster, "/ServerlessV2ScalingConfiguration");
    assert_eq!(scaling["MinCapacity"], 0.5, "min_capacity: 0.5");
    assert_eq!(scaling["MaxCapacity"], 4.0, "max_capacity: 4");

    // Instance
    for instance in ["Database/InstanceA", "Database/InstanceB"].map(at) {
        assert_eq!(instance.property("/DBInstanceClass"), "db.serverless", "instance_class: db.serverless");
    }

    // Storage
    assert_eq!(cluster.property("/StorageEncrypted"), true, "encrypted: true");
    assert_eq!(cluster.property("/KmsKeyId"), attribute("OpsKey/Resource", "Arn"), "kms_key: customer_managed");

    // Backup
    assert_eq!(cluster.property("/BackupRetentionPeriod"), 7, "retention_period: 7 days");
    assert_eq!(by_default(cluster, "/PreferredBackupWindow"), "03:00-04:00", "preferred_window: 03:00-04:00");

    // Connection String
    assert_eq!(cluster.property("/Port"), 5432, "5432");
}

#[test]
fn aws_secrets_manager() {
    let described = |name: &str, description: &str| {
        template().matching("AWS::SecretsManager::Secret", &json!({ "Name": name, "Description": description }));
    };
    described("claude-code-proxy/admin-credentials", "Admin username and password hash");
    described("claude-code-proxy/key-hasher-secret", "Server secret for HMAC hashing");
    described("claude-code-proxy/database", "Database connection credentials");
    let plan = json!({ "Name": "claude-code-proxy/plan-api-key" });
    let made = template().of_type("AWS::SecretsManager::Secret").any(|(_, secret)| secret.has(&plan));
    assert!(!made, "plan-api-key: not created by CDK");
}

#[test]
fn aws_kms() {
    assert_eq!(at("DataKey/Alias").property("/AliasName"), "alias/claude-code-proxy", "alias: alias/claude-code-proxy");
    let key = at("DataKey/Resource");
    let description = "description: Encryption key for Bedrock API keys";
    assert_eq!(key.property("/Description"), "Encryption key for Bedrock API keys", "{description}");
    assert_eq!(key.property("/KeySpec"), "SYMMETRIC_DEFAULT", "key_spec: SYMMETRIC_DEFAULT");
    assert_eq!(key.property("/KeyUsage"), "ENCRYPT_DECRYPT", "key_usage: ENCRYPT_DECRYPT");

    // Policy
    let statements = key.property("/KeyPolicy/Statement");
    let statement = |sid: &str| statements.as_array().into_iter().flatten().find(|statement| statement["Sid"] == sid);
    let usage = statement("Use").expect("Allow ECS task role to Encrypt/Decrypt");
    assert_eq!(usage["Principal"]["AWS"], attribute("Task/Role/Resource", "Arn"), "ECS task role");
    assert_eq!(
        usage["Action"],
        json!(["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"]),
        "Encrypt/Decrypt"
    );
    let management = statement("Administration").expect("Allow admin role to manage key");
    let role = with(&[("AdminRoleArn", "arn:aws:iam::1:role/a")]).resolve(&management["Principal"]["AWS"]);
    assert_eq!(role, "arn:aws:iam::1:role/a", "admin role");
}

#[test]
fn vpc_configuration() {
    assert_eq!(the("AWS::EC2::VPC").property("/CidrBlock"), "10.0.0.0/16", "cidr: 10.0.0.0/16");
    // Subnets
    let zone = |index: usize| json!({ "Fn::Select": [index, { "Fn::GetAZs": "" }] });
    for (path, range, index, line) in [
        ("Network/PublicA/Subnet", "10.0.1.0/24", 0, "public: 10.0.1.0/24 (AZ-a)"),
        ("Network/PublicB/Subnet", "10.0.2.0/24", 1, "public: 10.0.2.0/24 (AZ-b)"),
        ("Network/PrivateA/Subnet", "10.0.11.0/24", 0, "private: 10.0.11.0/24 (AZ-a)"),
        ("Network/PrivateB/Subnet", "10.0.12.0/24", 1, "private: 10.0.12.0/24 (AZ-b)"),
    ] {
        let subnet = at(path);
        let placed = (subnet.property("/CidrBlock"), subnet.property("/AvailabilityZone"));
        assert_eq!(placed, (json!(range), zone(index)), "{line}");
    }
    let gateway = at("Network/PublicA/Nat");
    assert_eq!(gateway.property("/SubnetId"), reference("Network/PublicA/Subnet"), "NAT Gateway: AZ-a");
    assert_eq!(gateway.condition, None, "NAT Gateway: AZ-a");
    for private in ["Network/PrivateA/Out", "Network/PrivateB/Out"] {
        let way_out = with(&[("NatGateways", "1")]).resolve(&at(private).property("/NatGatewayId"));
        assert_eq!(way_out, reference("Network/PublicA/Nat"), "for private subnet egress");
    }
    let attached = the("AWS::EC2::VPCGatewayAttachment");
    assert_eq!(attached.property("/VpcId"), reference("Network/Resource"), "Internet Gateway: attached to VPC");
}

#[test]
fn security_groups() {
    let (alb, ecs) = ("LoadBalancer/LoadBalancer/Resource", "Service/Tasks/Resource");
    // ALB Security Group
    let inbound = rules(alb, In);
    assert!(inbound.contains(&(json!(443), json!("0.0.0.0/0"))), "port: 443, source: 0.0.0.0/0");
    assert!(inbound.contains(&(json!(80), json!("0.0.0.0/0"))), "port: 80, source: 0.0.0.0/0");
    assert_eq!(inbound.len(), 2);
    // ECS Security Group
    assert_eq!(rules(ecs, In), [(json!(8000), attribute(alb, "GroupId"))], "port: 8000, source: ALB_SG");
    // Database Security Group
    let database = "Database/Database/Resource";
    assert_eq!(rules(database, In), [(json!(5432), attribute(ecs, "GroupId"))], "port: 5432, source: ECS_SG");
    assert_eq!(rules(database, Out), [(json!(252), json!("255.255.255.255/32"))], "outbound: none");
}

#[test]
fn cloudwatch_logs() {
    let group = template().matching("AWS::Logs::LogGroup", &json!({ "LogGroupName": "/ecs/claude-code-proxy" }));
    assert_eq!(by_default(group, "/RetentionInDays"), 30, "retention: 30 days");
    let options = &container()["LogConfiguration"]["Options"];
    assert_eq!(options["awslogs-group"], reference("AppLogs/Resource"), "/ecs/claude-code-proxy");
    assert_eq!(by_default(at("DatabaseLogs/Resource"), "/RetentionInDays"), 30, "retention: 30 days");
}

#[test]
fn component_summary() {
    for (component, type_name) in [
        ("Load Balancer", "AWS::ElasticLoadBalancingV2::LoadBalancer"),
        ("Compute", "AWS::ECS::Service"),
        ("Database", "AWS::RDS::DBCluster"),
        ("Secrets", "AWS::SecretsManager::Secret"),
        ("Encryption", "AWS::KMS::Key"),
        ("Networking", "AWS::EC2::VPC"),
        ("Logging", "AWS::Logs::LogGroup"),
        ("Metrics", "AWS::CloudWatch::Dashboard"),
        ("Alerting", "AWS::CloudWatch::Alarm"),
        ("Certificates", "AWS::CertificateManager::Certificate"),
    ] {
        assert!(template().of_type(type_name).next().is_some(), "{component}");
    }
    assert_eq!(
        setting(
            the("AWS::ElasticLoadBalancingV2::TargetGroup"),
            "/TargetGroupAttributes",
            "load_balancing.algorithm.type"
        ),
        "least_outstanding_requests",
        "Traffic distribution"
    );
}
