//! Our infrastructure, in the order of a request's way through it.

mod parameters;

use crate::checks;
use crate::constructs::{
    Alarm, Certificate, Crosses, Dashboard, Database, DatabaseSettings, Decryption, Encrypted, Graph, Key,
    LoadBalancer, LogGroup, Metric, Network, Repository, Secret, Service, StateSurvives, TargetGroup, Task, Topic,
    WebAcl,
};
use crate::core::{Stack, Tags, Test, Value};
use parameters::Parameters;
pub use parameters::{PRODUCTION, Preset, SMALL};

/// The name of everything that has one.
pub const NAME: &str = "claude-code-proxy";
/// Where the app listens.
pub const PORT: u16 = 8000;
/// Where the app says whether it is well.
pub const HEALTH_PATH: &str = "/health";
/// Where the app's metrics are.
pub const METRICS: &str = "ClaudeCodeProxy";
/// The folder in which the app keeps usage until the database has it.
const JOURNAL: &str = "/var/lib/claude-code-proxy";

/// The stack of the proxy.
pub fn proxy_stack() -> Stack {
    let stack = Stack::new("Claude Code Proxy: the plan first, Amazon Bedrock when the plan is limited");
    stack.check(checks::all);
    stack.aspect(StateSurvives);
    stack.aspect(Encrypted);
    stack.aspect(Tags(vec![("project".to_owned(), NAME.to_owned())]));
    let p = Parameters::declare(&stack);
    let certified = Test::given(&p.hosted_zone_id).or(Test::arn_given(&p.certificate_arn));
    stack.rule("CertificateOrZone", certified, "Give HostedZoneId, or CertificateArn of a certificate that exists");

    // Keys: one for the developers' Bedrock keys, which only the tasks open, and one for everything else
    let data_key = Key::new(&stack, "DataKey", NAME, "Encryption key for Bedrock API keys", Decryption::ByGrantOnly);
    let account = Value::sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root");
    data_key.grant_administration(&Value::when(&p.has_admin_role, &p.admin_role_arn, account));
    let ops_key = Key::new(&stack, "OpsKey", &format!("{NAME}-ops"), "Everything else at rest", Decryption::ByIam);
    ops_key.grant_logs().grant_alarms();
    let log_group = |name, group: &str| LogGroup::new(&stack, name, group, &p.log_retention_days, &ops_key);

    // Network
    let (public, private) = (["10.0.1.0/24", "10.0.2.0/24"], ["10.0.11.0/24", "10.0.12.0/24"]);
    let network = Network::new(&stack, "Network", "10.0.0.0/16", public, private, &p.has_two_nats);
    network.log_rejects(&log_group("FlowLogs", &format!("/vpc/{NAME}/flow")));

    // Secrets; `claude-code-proxy/plan-api-key` is made by hand where it is wanted, and read by its name
    let secret = |name, suffix, text| Secret::empty(&stack, name, &format!("{NAME}/{suffix}"), text, &ops_key);
    let admin = secret("AdminCredentials", "admin-credentials", "Admin username and password hash");
    let hasher = secret("KeyHasherSecret", "key-hasher-secret", "Server secret for HMAC hashing").random(64);
    let log_in = secret("DatabaseSecret", "database", "Database connection credentials").log_in("proxy");

    // Database
    let settings = DatabaseSettings {
        identifier: NAME,
        version: &p.engine_version,
        capacity: [&p.min_database_capacity, &p.max_database_capacity],
        deletion_protection: &p.deletion_protection,
        backup_window: &p.backup_window,
        maintenance_window: &p.maintenance_window,
        secret: &log_in,
        log_group: &log_group("DatabaseLogs", &format!("/aws/rds/cluster/{NAME}/postgresql")),
    };
    let database = Database::new(&stack, "Database", &network, &ops_key, &settings);

    // Task
    let repository = Repository::new(&stack, "Repository", NAME, &ops_key);
    let environment = vec![
        ("ADMIN_ALLOWED_CIDRS", p.admin_cidrs.clone()),
        ("CLOUDWATCH_METRICS", "true".into()),
        ("DATABASE_CA_FILE", "/etc/ssl/certs/rds-global-bundle.pem".into()),
        ("KEEP_ALIVE_TIMEOUT", "950s".into()),
        ("KMS_KEY_ID", data_key.arn().text()),
        ("LISTEN_ADDR", format!("0.0.0.0:{PORT}").into()),
        ("SECRETS_PREFIX", NAME.into()),
        ("TRUSTED_PROXIES", public.join(",").into()),
        ("USAGE_JOURNAL_DIR", JOURNAL.into()),
    ];
    let (image, healthy) = (repository.image(&p.image_digest), ["/claude-code-proxy", "healthcheck"]);
    let task = Task::new(&stack, "Task", NAME, ("512", "1024"), &p.architecture);
    let task = task.container("proxy", image, PORT, &healthy, environment);
    task.scratch(JOURNAL).runs_with(&stack, &log_group("AppLogs", &format!("/ecs/{NAME}")), &repository);
    data_key.grant_use(&task.role, "access_key_id");
    task.may_read(&[&admin, &hasher, &log_in]).may_read_if_there(&format!("{NAME}/plan-api-key"));
    task.may_publish_metrics(METRICS);

    // Load balancer
    let certificate = Certificate::new(&stack, "Certificate", &p.domain_name, &p.hosted_zone_id, &p.has_zone);
    let certificate_arn = certificate.or(&p.certificate_arn);
    let balancer = LoadBalancer::new(&stack, "LoadBalancer", &network, &certificate_arn, &p.deletion_protection);
    certificate.points_at(&balancer.handle);
    let targets = TargetGroup::new(&stack, "Targets", &network, PORT, HEALTH_PATH);
    balancer
        .redirect_http(&p.redirects_http, &["/ak/*", "/v1/*", "/model/*", "/inference-profiles*"])
        .forward("AccessKeys", 10, &["/ak/*"], &targets)
        .forward("Messages", 20, &["/v1/*", "/model/*", "/inference-profiles*"], &targets)
        .forward("Health", 30, &[HEALTH_PATH], &targets)
        .forward_from("Admin", 40, &["/admin", "/admin/*"], &p.admin_cidrs, &targets);
    WebAcl::new(&stack, "WebAcl", &balancer, &log_group("WafLogs", &format!("aws-waf-logs-{NAME}")), &p.has_waf);

    // Service
    let service = Service::new(&stack, "Service", NAME, &network, &task, [&p.min_tasks, &p.max_tasks], &p.has_image);
    service.behind(&balancer, &targets, &task);
    service.scale_on_cpu(70.0).scale_on_memory(80.0).scale_on_requests(&balancer, &targets, 3000.0);
    service.group.allow_to_anywhere(443, "AWS and the providers of models");
    database.allow_from(&service.group);

    // Alarms
    let topic = |name, suffix| Topic::new(&stack, name, &format!("{NAME}-{suffix}"), &ops_key);
    let alerts = topic("Alerts", "alerts").mail(&p.alarm_email, &p.has_email);
    let critical = topic("Critical", "critical").mail(&p.alarm_email, &p.has_email);
    let sum = |name| Metric::sum(METRICS, name);
    let (requests, fallbacks) = (sum("RequestCount").by("Provider", "plan"), sum("FallbackCount"));
    for (label, provider, percent, ms) in [("Plan", "plan", 5.0, 500.0), ("Bedrock", "bedrock", 1.0, 1000.0)] {
        let [requests, errors] = ["RequestCount", "ErrorCount"].map(|name| sum(name).by("Provider", provider));
        let p95 = Metric::percentile(METRICS, "RequestLatency", 95).by("Provider", provider);
        Alarm::ratio(&stack, &format!("HighErrorRate-{label}"), ("errors", &errors), &requests, percent, &alerts);
        Alarm::latency(&stack, &format!("HighLatency-{label}"), ("p95", &p95), &requests, ms, &alerts);
    }
    Alarm::ratio(&stack, "HighFallbackRate", ("fallbacks", &fallbacks), &requests, 10.0, &alerts);
    let healthy = balancer.fewest_healthy(&targets);
    service.watched_by(&Alarm::health(&stack, "UnhealthyTasks", &healthy, 2, &critical));
    let [circuits, backlog] = ["CircuitOpen", "UsageJournalBacklog"].map(|name| Metric::maximum(METRICS, name));
    let (capacity, connections) = (database.metric("ACUUtilization"), database.metric("DatabaseConnections"));
    for (name, description, metric, crosses) in [
        ("Target5xx", "The proxy fails", &balancer.sum("HTTPCode_Target_5XX_Count"), Crosses::Above(25.0)),
        ("LoadBalancer5xx", "No task answers", &balancer.sum("HTTPCode_ELB_5XX_Count"), Crosses::Above(10.0)),
        ("RejectedConnections", "Too many connections", &balancer.sum("RejectedConnectionCount"), Crosses::Above(0.0)),
        ("DatabaseCapacity", "The database is at its limit", &capacity, Crosses::Above(90.0)),
        ("DatabaseConnections", "Many connections", &connections, Crosses::Above(150.0)),
        ("CircuitOpen", "A provider is not asked, because it fails", &circuits, Crosses::Reaches(1.0)),
        ("UsageJournalBacklog", "16 MiB of usage wait for the database", &backlog, Crosses::Above(16_777_216.0)),
    ] {
        Alarm::on(&stack, name, description, metric, crosses, &alerts);
    }
    certificate.expires(&certificate_arn, &alerts);
    network.ports_run_out(&alerts);

    // Dashboard
    let [added, first_byte] = ["RequestLatency", "TimeToFirstByte"].map(|name| sum(name).by("Provider", "plan"));
    let graphs = [
        Graph::by("Requests", &sum("RequestCount"), "Provider", &["plan", "bedrock"]),
        Graph::ratio("Fallback rate (%)", &fallbacks, &requests),
        Graph::percentiles("Time that the proxy adds (ms)", &added),
        Graph::percentiles("Time to first byte (ms)", &first_byte),
        Graph::search("Errors by type", &sum("ErrorCount"), &["Provider", "ErrorType"]),
        Graph::of("Circuits open", &circuits),
        Graph::by("Tokens", &sum("BedrockTokensUsed"), "TokenType", &["input", "output", "cache_read", "cache_write"]),
        Graph::of("Usage without a price", &sum("PriceMissing")),
        Graph::of("Healthy tasks", &healthy),
        Graph::of("Capacity of the database (%)", &capacity),
    ];
    Dashboard::new(&stack, "Dashboard", NAME, &graphs);

    // What a deployment and people need to know
    stack.output("LoadBalancerDnsName", "Where the domain's record points", &balancer.handle.dns_name());
    stack.output("RepositoryUri", "Where images are pushed", &repository.handle.uri());
    stack.output("DatabaseEndpoint", "Writer of the database", &database.cluster.endpoint());
    stack.output("ClusterName", "Cluster that runs the tasks", &service.cluster.name());
    stack.output("TaskSubnets", "Subnets of the tasks", &network.private_list());
    stack.output("TaskSecurityGroup", "Security group of the tasks", &service.group.id());
    stack.output("AlertsTopicArn", "Topic of the alarms, for more subscribers", &alerts.arn());
    stack
}
