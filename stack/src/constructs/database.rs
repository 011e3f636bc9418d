//! Aurora PostgreSQL, serverless.

use std::collections::BTreeMap;

use crate::cfn::rds;
use crate::cfn::secretsmanager::{SecretTargetAttachment, TargetType};
use crate::core::{Handle, Parameter, Policy, Scope, Value};

use super::network::zone;
use super::{Key, LogGroup, Metric, Network, Role, Secret, SecurityGroup};

/// What differs between databases.
pub struct DatabaseSettings<'a> {
    /// Identifier of the cluster; its log group has it in its name.
    pub identifier: &'a str,
    /// Version of PostgreSQL, as Aurora numbers it.
    pub version: &'a Value<String>,
    /// Fewest and most capacity units.
    pub capacity: [&'a Value<f64>; 2],
    /// Whether it refuses to be deleted.
    pub deletion_protection: &'a Value<bool>,
    /// When backups are made, in UTC.
    pub backup_window: &'a Value<String>,
    /// When AWS may maintain it, in UTC; outside the backup window.
    pub maintenance_window: &'a Value<String>,
    /// User and password.
    pub secret: &'a Secret,
    /// Where its log goes.
    pub log_group: &'a LogGroup,
}

/// A cluster with two instances in two zones. Defaults: encrypted, TLS only, backups for 7 days, a last snapshot before it goes,
/// slow statements and changes of the schema in its log, insights, and log-in with IAM beside the password.
#[derive(Clone)]
pub struct Database {
    /// The way out.
    pub cluster: Handle<rds::DbCluster>,
    group: SecurityGroup,
}

const ENGINE: &str = "aurora-postgresql";
const PORT: u16 = 5432;

impl Database {
    /// A database with the user `proxy` and a database of the same name.
    #[track_caller]
    pub fn new(scope: &Scope, name: &str, network: &Network, key: &Key, settings: &DatabaseSettings<'_>) -> Self {
        let scope = scope.child(name);
        let group = SecurityGroup::new(&scope, "Database", network, "Tasks to the database");
        let subnets = scope.add("Subnets", rds::DbSubnetGroup::new("Private subnets", network.private_ids()));
        let parameters = [("rds.force_ssl", "1"), ("log_min_duration_statement", "1000"), ("log_statement", "ddl")];
        let parameters: BTreeMap<_, _> =
            parameters.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
        let family = rds::DbClusterParameterGroup::new("Settings of the cluster", "aurora-postgresql15", parameters);
        let parameters = scope.add("Parameters", family);
        let role =
            Role::new(&scope, "Monitoring", "monitoring.rds.amazonaws.com", "Enhanced monitoring of the database");
        role.managed("service-role/AmazonRDSEnhancedMonitoringRole");
        let [fewest, most] = settings.capacity;
        let cluster = scope.main(
            rds::DbCluster::new(ENGINE)
                .engine_version(settings.version)
                .db_cluster_identifier(Value::literal(settings.identifier))
                .database_name("proxy")
                .master_username("proxy")
                .master_user_password(settings.secret.field("password"))
                .port(PORT)
                .serverless_v2_scaling_configuration(rds::ServerlessV2ScalingConfiguration::new(fewest, most))
                .storage_encrypted(true)
                .kms_key_id(key.arn())
                .backup_retention_period(7)
                .preferred_backup_window(settings.backup_window)
                .preferred_maintenance_window(settings.maintenance_window)
                .copy_tags_to_snapshot(true)
                .deletion_protection(settings.deletion_protection)
                .enable_iam_database_authentication(true)
                .enable_cloudwatch_logs_exports(["postgresql".into()])
                .db_cluster_parameter_group_name(parameters.name())
                .db_subnet_group_name(subnets.name())
                .vpc_security_group_ids([group.id()]),
        );
        cluster.policy(Policy::Snapshot);
        // Otherwise RDS makes the group itself, without a key and for ever.
        cluster.depends_on(&settings.log_group.handle);
        for index in [0, 1] {
            let instance = rds::DbInstance::new("db.serverless")
                .engine(ENGINE)
                .db_cluster_identifier(cluster.name())
                .availability_zone(zone(index))
                .promotion_tier(1)
                // An instance has a window of its own, at random where none is given.
                .preferred_maintenance_window(settings.maintenance_window)
                .publicly_accessible(false)
                .auto_minor_version_upgrade(true)
                .enable_performance_insights(true)
                .performance_insights_kms_key_id(key.arn())
                .monitoring_interval(60)
                .monitoring_role_arn(role.arn());
            // The cluster makes the snapshot; an instance holds nothing of its own.
            scope.add(["InstanceA", "InstanceB"][index], instance).policy(Policy::Delete);
        }
        let host_and_port = SecretTargetAttachment::new(settings.secret.arn(), cluster.name(), TargetType::DbCluster);
        scope.add("Attachment", host_and_port);
        Self { cluster, group }
    }

    /// A parameter for the version; the settings of the cluster are those of PostgreSQL 15.
    pub fn version_parameter(default: &str) -> Parameter<String> {
        let pattern = [r"^15\.[0-9]+$", "a version like 15.19; the settings of the cluster are those of PostgreSQL 15"];
        Parameter::text("Version of Aurora PostgreSQL 15").default(default).pattern(pattern)
    }

    /// A parameter for the time of backups.
    pub fn backup_window_parameter(default: &str) -> Parameter<String> {
        let pattern = ["^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$", "a window like 03:00-04:00, in UTC"];
        Parameter::text("When backups are made, UTC").default(default).pattern(pattern)
    }

    /// A parameter for the time of maintenance.
    pub fn maintenance_window_parameter(default: &str) -> Parameter<String> {
        let pattern = "^[a-z]{3}:[0-2][0-9]:[0-5][0-9]-[a-z]{3}:[0-2][0-9]:[0-5][0-9]$";
        let text = Parameter::text("When AWS may maintain the database, UTC; not while backups are made");
        text.default(default).pattern([pattern, "a window like sun:04:30-sun:05:30, in UTC"])
    }

    /// Lets a security group in.
    #[track_caller]
    pub fn allow_from(&self, group: &SecurityGroup) -> &Self {
        self.group.allow_from(group, PORT, "PostgreSQL");
        self
    }

    /// A metric of the cluster, at its largest.
    pub fn metric(&self, name: &str) -> Metric {
        Metric::maximum("AWS/RDS", name).of("DBClusterIdentifier", &self.cluster.name())
    }
}
