//! What differs between deployments of the proxy, and two sets of answers.

use crate::cfn::route53::HostedZoneId;
use crate::cfn::{Arn, acm, iam};
use crate::constructs::{Database, LoadBalancer, LogGroup, Repository};
use crate::core::{Parameter, Test, parameters};

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

parameters! {
    /// The parameters, and the conditions that they decide.
    Parameters {
        domain_name: String = Parameter::text("Name under which developers reach the proxy");
        hosted_zone_id: HostedZoneId = Parameter::optional("Hosted zone of the domain; empty: give CertificateArn");
        certificate_arn: Arn<acm::Certificate> = Parameter::optional_arn("Certificate, unless HostedZoneId is given");
        admin_cidrs: String = LoadBalancer::networks_parameter("Networks of the admin API").default("127.0.0.1/32");
        admin_role_arn: Arn<iam::Role> = Parameter::optional_arn("Who manages the key of Bedrock keys; none: the account");
        alarm_email: String = Parameter::optional("Address that alarms are mailed to; empty: nobody");
        image_digest: String = Repository::digest_parameter("Image that runs; empty: everything but the service");
        architecture: String = Parameter::choice("Processors that the image is built for", ["X86_64", "ARM64"]);
        min_tasks: i64 = Parameter::number("Fewest tasks").default(2).between(2, 100);
        max_tasks: i64 = Parameter::number("Most tasks").default(10).between(2, 100);
        engine_version: String = Database::version_parameter("15.19");
        min_database_capacity: f64 = Parameter::number_of("Fewest capacity units").default(0.5).between(0.5, 256);
        max_database_capacity: f64 = Parameter::number_of("Most capacity units").default(4.0).between(1, 256);
        backup_window: String = Database::backup_window_parameter("03:00-04:00");
        maintenance_window: String = Database::maintenance_window_parameter("sun:04:30-sun:05:30");
        nat_gateways: String = Parameter::choice("NAT gateways; one is cheaper and fails with its zone", ["2", "1"]);
        log_retention_days: i64 = LogGroup::retention_parameter(30);
        deletion_protection: bool = Parameter::choice("Database and load balancer refuse deletion", ["true", "false"]);
        http_port80: String = Parameter::choice("What port 80 does", ["redirect", "off"]);
        waf: String = Parameter::choice("Firewall before the load balancer", ["off", "on"]);
    }
    if {
        has_zone = Test::given(&hosted_zone_id);
        has_email = Test::given(&alarm_email);
        has_image = Test::given(&image_digest);
        has_waf = Test::equals(&waf, "on");
        has_two_nats = Test::equals(&nat_gateways, "2");
        has_admin_role = Test::arn_given(&admin_role_arn);
        redirects_http = Test::equals(&http_port80, "redirect");
    }
}
