//! Our infrastructure, in the order of a request's way through it.

mod outputs;
mod parameters;

use crate::constructs::{
    Alarm, Certificate, Crosses, Dashboard, Database, DatabaseSettings, Decryption, Key, LoadBalancer, LogGroup,
    Metric, Network, Repository, Secret, Service, TargetGroup, Task, Topic, WebAcl,
};
use crate::core::{Scope, Stack, Tags};
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
    stack.aspect(Tags(vec![("project".to_owned(), NAME.to_owned())]));
    let parameters = Parameters::declare(&stack);
    let retention = &parameters.log_retention_days;

    // Keys: one for the developers' Bedrock keys, which only the tasks open, and one for everything else.
    let data_key = Key::new(&stack, "DataKey", NAME, "Encryption key for Bedrock API keys", Decryption::ByGrantOnly);
    data_key.grant_administration(&parameters.admin_role());
    let ops_alias = format!("{NAME}-ops");
    let ops_key = Key::new(&stack, "OpsKey", &ops_alias, "Logs, topics, secrets, images, database", Decryption::ByIam);
    ops_key.grant_logs().grant_alarms();
    let log_group = |name, group: &str| LogGroup::new(&stack, name, group, retention, &ops_key);

    // Network
    let (public, private) = (["10.0.1.0/24", "10.0.2.0/24"], ["10.0.11.0/24", "10.0.12.0/24"]);
    let network = Network::new(&stack, "Network", "10.0.0.0/16", public, private, &parameters.two_nats);
    network.log_rejects(&log_group("FlowLogs", &format!("/vpc/{NAME}/flow")));

    // Secrets. `claude-code-proxy/plan-api-key` is made by hand where it is wanted, and read by its name.
    let secret = |name, suffix: &str, description| {
        Secret::empty(&stack, name, &format!("{NAME}/{suffix}"), description, &ops_key)
    };
    let admin = secret("AdminCredentials", "admin-credentials", "Admin username and password hash");
    let hasher = secret("KeyHasherSecret", "key-hasher-secret", "Server secret for HMAC hashing");
    hasher.random(64);
    let log_in = secret("DatabaseSecret", "database", "Database connection credentials");
    log_in.log_in("proxy");

    // Database
    let settings = DatabaseSettings {
        identifier: NAME,
        version: parameters.engine_version.clone(),
        capacity: [parameters.min_database_capacity.clone(), parameters.max_database_capacity.clone()],
        deletion_protection: parameters.deletion_protection.clone(),
        backup_window: parameters.backup_window.clone(),
        maintenance_window: parameters.maintenance_window.clone(),
        secret: &log_in,
        log_group: &log_group("DatabaseLogs", &format!("/aws/rds/cluster/{NAME}/postgresql")),
    };
    let database = Database::new(&stack, "Database", &network, &ops_key, settings);

    // Task
    let repository = Repository::new(&stack, "Repository", NAME, &ops_key);
    let environment = vec![
        ("ADMIN_ALLOWED_CIDRS", parameters.admin_cidrs.joined(",")),
        ("CLOUDWATCH_METRICS", "true".into()),
        ("KMS_KEY_ID", data_key.arn().text()),
        ("LISTEN_ADDR", format!("0.0.0.0:{PORT}").into()),
        ("SECRETS_PREFIX", NAME.into()),
        ("TRUSTED_PROXIES", public.join(",").into()),
        ("USAGE_JOURNAL_DIR", JOURNAL.into()),
    ];
    let task = Task::new(&stack, "Task", NAME, ("512", "1024"), &parameters.architecture).container(
        "proxy",
        (&repository, &parameters.image_digest),
        PORT,
        &["/claude-code-proxy", "healthcheck"],
        environment,
    );
    task.scratch(JOURNAL).runs_with(&stack, &log_group("AppLogs", &format!("/ecs/{NAME}")), &repository);
    data_key.grant_use(&task.role, "access_key_id");
    for secret in [&admin, &hasher, &log_in] {
        secret.grant_read(&task.role);
    }
    task.may_read_secret(&format!("{NAME}/plan-api-key")).may_publish_metrics(METRICS);

    // Load balancer
    let domain = (&parameters.domain_name, &parameters.hosted_zone_id);
    let certificate = Certificate::new(&stack, "Certificate", domain.0, domain.1, &parameters.has_zone);
    let certificate_arn = certificate.or(&parameters.certificate_arn);
    let balancer =
        LoadBalancer::new(&stack, "LoadBalancer", &network, certificate_arn.clone(), &parameters.deletion_protection);
    certificate.points_at(&balancer.handle);
    balancer
        .https
        .accept("W1030", "CertificateArn is empty only where the hosted zone gives a certificate; a rule sees to it");
    let targets = TargetGroup::new(&stack, "Targets", &network, PORT, HEALTH_PATH);
    balancer
        .redirect_http(&parameters.redirects_http, &["/ak/*"])
        .forward("AccessKeys", 10, &["/ak/*"], &targets)
        .forward("Messages", 20, &["/v1/*"], &targets)
        .forward("Health", 30, &[HEALTH_PATH], &targets)
        .forward_from("Admin", 40, &["/admin", "/admin/*"], &parameters.admin_cidrs, &targets);
    let waf_logs = log_group("WafLogs", &format!("aws-waf-logs-{NAME}"));
    WebAcl::new(&stack, "WebAcl", &balancer, &waf_logs, &parameters.has_waf);

    // Service
    let tasks = [parameters.min_tasks.clone(), parameters.max_tasks.clone()];
    let service = Service::new(&stack, "Service", NAME, &network, &task, tasks, &parameters.has_image);
    service.behind(&balancer, &targets, &task);
    service.scale_on_cpu(70.0).scale_on_memory(80.0).scale_on_requests(&balancer, &targets, 3000.0);
    service.group.allow_to_anywhere(443, "AWS and the providers of models");
    database.allow_from(&service.group);

    // Alarms
    let topic = |name, suffix: &str| Topic::new(&stack, name, &format!("{NAME}-{suffix}"), &ops_key);
    let (alerts, critical) = (topic("Alerts", "alerts"), topic("Critical", "critical"));
    for topic in [&alerts, &critical] {
        topic.mail(&parameters.alarm_email, &parameters.has_email);
    }
    for (label, provider, percent, ms) in [("Plan", "plan", 5.0, 500.0), ("Bedrock", "bedrock", 1.0, 1000.0)] {
        let of = |metric: Metric| metric.by("Provider", provider);
        let requests = of(Metric::sum(METRICS, "RequestCount"));
        let errors = of(Metric::sum(METRICS, "ErrorCount"));
        let p95 = of(Metric::percentile(METRICS, "RequestLatency", 95));
        Alarm::ratio(&stack, &format!("HighErrorRate-{label}"), ("errors", &errors), &requests, percent, &alerts);
        Alarm::latency(&stack, &format!("HighLatency-{label}"), ("p95", &p95), &requests, ms, &alerts);
    }
    let requests = Metric::sum(METRICS, "RequestCount").by("Provider", "plan");
    let fallbacks = Metric::sum(METRICS, "FallbackCount");
    Alarm::ratio(&stack, "HighFallbackRate", ("fallbacks", &fallbacks), &requests, 10.0, &alerts);
    let healthy = balancer.fewest_healthy(&targets);
    let few = "Fewer than 2 healthy tasks for 3 minutes";
    let unhealthy = Alarm::on(&stack, "UnhealthyTasks", few, &healthy, Crosses::Below(2.0), &critical);
    unhealthy.after(3).silence_is_alarming().handle.only_if(&parameters.has_image);
    let expiry =
        Metric::minimum("AWS/CertificateManager", "DaysToExpiry").of("CertificateArn", &certificate_arn).over(86_400);
    for (name, description, metric, crosses) in [
        ("Target5xx", "The proxy fails", balancer.sum("HTTPCode_Target_5XX_Count"), Crosses::Above(25.0)),
        ("LoadBalancer5xx", "No task answers", balancer.sum("HTTPCode_ELB_5XX_Count"), Crosses::Above(10.0)),
        ("RejectedConnections", "Too many connections", balancer.sum("RejectedConnectionCount"), Crosses::Above(0.0)),
        ("DatabaseCapacity", "The database is at its limit", database.metric("ACUUtilization"), Crosses::Above(90.0)),
        ("DatabaseConnections", "Many connections", database.metric("DatabaseConnections"), Crosses::Above(150.0)),
        ("CircuitOpen", "The plan is failing", Metric::maximum(METRICS, "CircuitOpen"), Crosses::Reaches(1.0)),
        (
            "UsageJournalBacklog",
            "Usage waits for the database, in bytes",
            Metric::maximum(METRICS, "UsageJournalBacklog"),
            Crosses::Above(16_777_216.0),
        ),
    ] {
        Alarm::on(&stack, name, description, &metric, crosses, &alerts);
    }
    Alarm::on(&stack, "CertificateExpiry", "Less than 3 weeks", &expiry, Crosses::Below(21.0), &alerts).after(1);
    for (gateway, name) in network.nat_gateways.iter().zip(["NatPortErrorsA", "NatPortErrorsB"]) {
        let errors = Metric::sum("AWS/NATGateway", "ErrorPortAllocation").of("NatGatewayId", &gateway.id());
        let alarm = Alarm::on(&stack, name, "No port is free", &errors, Crosses::Above(0.0), &alerts);
        if name == "NatPortErrorsB" {
            alarm.handle.only_if(&parameters.two_nats);
        }
    }

    dashboard(&stack, &balancer, &targets, &database);
    outputs::outputs(&stack, &balancer.handle, (&network, &service), (&repository, &database), &alerts);
    stack
}

fn dashboard(stack: &Scope, balancer: &LoadBalancer, targets: &TargetGroup, database: &Database) {
    let by = |name, dimension, value: &str| Metric::sum(METRICS, name).by(dimension, value);
    let percentile = |name, percent| Metric::percentile(METRICS, name, percent).by("Provider", "plan");
    let both = |name| ["plan", "bedrock"].map(|provider| (provider, by(name, "Provider", provider))).to_vec();
    let three = |name| [("p50", 50), ("p95", 95), ("p99", 99)].map(|(label, p)| (label, percentile(name, p))).to_vec();
    let one = |label, name| (label, Metric::sum(METRICS, name));
    let tokens = ["input", "output"].map(|kind| (kind, by("BedrockTokensUsed", "TokenType", kind)));
    let graphs = [
        ("Requests", both("RequestCount")),
        ("Fallbacks", vec![one("fallbacks", "FallbackCount")]),
        ("Time that the proxy adds (ms)", three("RequestLatency")),
        ("Time to first byte (ms)", three("TimeToFirstByte")),
        ("Errors", both("ErrorCount")),
        ("Circuits open", vec![("open", Metric::maximum(METRICS, "CircuitOpen"))]),
        ("Tokens at Bedrock", tokens.to_vec()),
        ("Without a price", vec![one("requests", "PriceMissing")]),
        ("Healthy tasks", vec![("fewest", balancer.fewest_healthy(targets))]),
        ("Database", vec![("capacity (%)", database.metric("ACUUtilization"))]),
    ];
    Dashboard::new(stack, "Dashboard", NAME, &graphs);
}
