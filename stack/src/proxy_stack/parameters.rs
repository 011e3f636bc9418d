//! What differs between deployments of the proxy, and two sets of answers.

use crate::cfn::route53::HostedZoneId;
use crate::cfn::{Arn, Cidr, acm, iam};
use crate::core::{Condition, List, Parameter, Scope, Test, Value};

/// Values of parameters, by name; the others have their defaults.
pub type Preset = &'static [(&'static str, &'static str)];

/// For many developers: the defaults.
pub const PRODUCTION: Preset = &[];

/// For a team that tries it: one NAT gateway, a small database, nothing that is hard to delete.
pub const SMALL: Preset = &[
    ("DeletionProtection", "false"),
    ("LogRetentionDays", "7"),
    ("MaxDatabaseCapacity", "1"),
    ("MaxTasks", "4"),
    ("NatGateways", "1"),
];

/// The parameters, and the conditions that they decide.
pub(super) struct Parameters {
    pub(super) domain_name: Value<String>,
    pub(super) hosted_zone_id: Value<HostedZoneId>,
    pub(super) certificate_arn: Value<Arn<acm::Certificate>>,
    pub(super) admin_cidrs: Value<List<Cidr>>,
    pub(super) alarm_email: Value<String>,
    pub(super) image_digest: Value<String>,
    pub(super) architecture: Value<String>,
    pub(super) min_tasks: Value<i64>,
    pub(super) max_tasks: Value<i64>,
    pub(super) engine_version: Value<String>,
    pub(super) min_database_capacity: Value<f64>,
    pub(super) max_database_capacity: Value<f64>,
    pub(super) backup_window: Value<String>,
    pub(super) maintenance_window: Value<String>,
    pub(super) log_retention_days: Value<i64>,
    pub(super) deletion_protection: Value<bool>,
    pub(super) has_zone: Condition,
    pub(super) has_email: Condition,
    pub(super) has_image: Condition,
    pub(super) has_waf: Condition,
    pub(super) two_nats: Condition,
    pub(super) redirects_http: Condition,
    admin_role_arn: Value<Arn<iam::Role>>,
    has_admin_role: Condition,
}

/// Days for which CloudWatch keeps logs.
const RETENTION: [i64; 14] = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 545, 731];
const ARN: &str = "^$|^arn:aws[a-z-]*:[a-z]+:.*$";
const WINDOW: &str = "([01][0-9]|2[0-3]):[0-5][0-9]";

impl Parameters {
    pub(super) fn declare(stack: &Scope) -> Self {
        let p = stack;
        let text = |description| Parameter::<String>::text(description);
        let flag = |description, on: &'static str, off: &'static str| text(description).allowed([on, off]).default(on);
        let zone = Parameter::text_of("Hosted zone of the domain, for certificate and alias; empty: CertificateArn")
            .default("");
        let hosted_zone_id = p.parameter("HostedZoneId", zone);
        let certificate =
            Parameter::text_of("Certificate of the domain; empty: one is made in the hosted zone").default("");
        let certificate_arn =
            p.parameter("CertificateArn", certificate.pattern(ARN, "the ARN of a certificate, or nothing"));
        let given = Test::given(&hosted_zone_id).or(Test::given(&certificate_arn));
        p.rule("CertificateOrZone", given, "Give HostedZoneId, or CertificateArn of a certificate that exists");
        let role =
            Parameter::text_of("Role that manages the key of the Bedrock keys; empty: the account's administrators");
        let admin_role_arn =
            p.parameter("AdminRoleArn", role.default("").pattern(ARN, "the ARN of a role, or nothing"));
        let digest = text("Digest of the image in the repository; empty: everything but the service").default("");
        let digest = digest.pattern("^$|^sha256:[0-9a-f]{64}$", "sha256: and 64 hexadecimal digits, or nothing");
        let image_digest = p.parameter("ImageDigest", digest);
        let alarm_email =
            p.parameter("AlarmEmail", text("Address that alarms are mailed to; empty: nobody").default(""));
        let nats =
            p.parameter("NatGateways", flag("NAT gateways; with one, a zone's outage cuts the other off", "2", "1"));
        let http = p.parameter("HttpPort80", flag("What port 80 does", "redirect", "off"));
        let waf = p.parameter("Waf", flag("Firewall before the load balancer", "off", "on"));
        let cidrs =
            Parameter::list("Networks from which the admin API is reached, nine at the most").default("127.0.0.1/32");
        let window = |description, default: &str, days: &str| {
            let pattern = format!("^{days}{WINDOW}-{days}{WINDOW}$");
            text(description).default(default).pattern(&pattern, "a window like the default, in UTC")
        };
        let retention = Parameter::number("Days that logs are kept").default(30).allowed(RETENTION);
        let protected = Parameter::text_of("Whether database and load balancer refuse to be deleted").default("true");
        let capacity = |description, default: f64| Parameter::number_of(description).default(default).between(0.5, 256);
        Self {
            domain_name: p.parameter("DomainName", text("Name under which developers reach the proxy")),
            admin_cidrs: p.parameter("AdminCidrs", cidrs),
            architecture: p
                .parameter("Architecture", flag("Processors that the image is built for", "X86_64", "ARM64")),
            min_tasks: p.parameter("MinTasks", Parameter::number("Fewest tasks").default(2).between(1, 100)),
            max_tasks: p.parameter("MaxTasks", Parameter::number("Most tasks").default(10).between(1, 100)),
            engine_version: p.parameter("EngineVersion", text("Version of Aurora PostgreSQL 15").default("15.19")),
            min_database_capacity: p.parameter("MinDatabaseCapacity", capacity("Fewest capacity units", 0.5)),
            max_database_capacity: p.parameter("MaxDatabaseCapacity", capacity("Most capacity units", 4.0)),
            backup_window: p.parameter("BackupWindow", window("When backups are made, UTC", "03:00-04:00", "")),
            maintenance_window: p.parameter(
                "MaintenanceWindow",
                window(
                    "When AWS may maintain the database, UTC",
                    "sun:04:30-sun:05:30",
                    "(mon|tue|wed|thu|fri|sat|sun):",
                ),
            ),
            log_retention_days: p.parameter("LogRetentionDays", retention),
            deletion_protection: p.parameter("DeletionProtection", protected.allowed(["true", "false"])),
            has_zone: p.condition("HasZone", Test::given(&hosted_zone_id)),
            has_email: p.condition("HasEmail", Test::given(&alarm_email)),
            has_image: p.condition("HasImage", Test::given(&image_digest)),
            has_waf: p.condition("HasWaf", Test::equals(&waf, "on")),
            two_nats: p.condition("TwoNatGateways", Test::equals(&nats, "2")),
            redirects_http: p.condition("RedirectsHttp", Test::equals(&http, "redirect")),
            has_admin_role: p.condition("HasAdminRole", Test::given(&admin_role_arn)),
            hosted_zone_id,
            certificate_arn,
            admin_role_arn,
            image_digest,
            alarm_email,
        }
    }

    /// The role that manages the key, or whoever administers the account.
    pub(super) fn admin_role(&self) -> Value<Arn<iam::Role>> {
        let account = Value::sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root");
        Value::when(&self.has_admin_role, &self.admin_role_arn, account)
    }
}
