//! Amazon RDS and Aurora.

use std::collections::BTreeMap;

use super::macros::{resource, structure};
use super::{Arn, AvailabilityZone, HostName, Id, Name, Port, Tag, ec2, iam, kms};
use crate::core::Value;

structure! {
    ServerlessV2ScalingConfiguration { min_capacity: Value<f64>, max_capacity: Value<f64>, ; }
}

resource! {
    DbSubnetGroup = "AWS::RDS::DBSubnetGroup" [TAGGABLE = true] {
        description as "DBSubnetGroupDescription": Value<String>,
        subnet_ids: Vec<Value<Id<ec2::Subnet>>>,
        ;
        tags: Vec<Tag>,
    }
    => name: Name<DbSubnetGroup>;
}

resource! {
    DbClusterParameterGroup = "AWS::RDS::DBClusterParameterGroup" [TAGGABLE = true] {
        description: Value<String>,
        family: Value<String>,
        parameters: BTreeMap<String, Value<String>>,
        ;
        tags: Vec<Tag>,
    }
    => name: Name<DbClusterParameterGroup>;
}

resource! {
    DbCluster = "AWS::RDS::DBCluster" [TAGGABLE = true, STATEFUL = true] {
        engine: Value<String>,
        ;
        backup_retention_period: Value<i64>,
        copy_tags_to_snapshot: Value<bool>,
        database_insights_mode: Value<String>,
        database_name: Value<String>,
        db_cluster_identifier as "DBClusterIdentifier": Value<Name<DbCluster>>,
        db_cluster_parameter_group_name as "DBClusterParameterGroupName": Value<Name<DbClusterParameterGroup>>,
        db_subnet_group_name as "DBSubnetGroupName": Value<Name<DbSubnetGroup>>,
        deletion_protection: Value<bool>,
        enable_cloudwatch_logs_exports: Vec<Value<String>>,
        enable_iam_database_authentication as "EnableIAMDatabaseAuthentication": Value<bool>,
        engine_version: Value<String>,
        kms_key_id: Value<Arn<kms::Key>>,
        master_user_password: Value<String>,
        master_username: Value<String>,
        monitoring_interval: Value<i64>,
        monitoring_role_arn: Value<Arn<iam::Role>>,
        performance_insights_enabled: Value<bool>,
        performance_insights_kms_key_id: Value<Arn<kms::Key>>,
        port: Value<Port>,
        preferred_backup_window: Value<String>,
        preferred_maintenance_window: Value<String>,
        serverless_v2_scaling_configuration as "ServerlessV2ScalingConfiguration": ServerlessV2ScalingConfiguration,
        storage_encrypted: Value<bool>,
        vpc_security_group_ids: Vec<Value<Id<ec2::SecurityGroup>>>,
        tags: Vec<Tag>,
    }
    => name: Name<DbCluster>;
    endpoint = "Endpoint.Address": HostName;
    arn = "DBClusterArn": Arn<DbCluster>;
}

resource! {
    DbInstance = "AWS::RDS::DBInstance" [TAGGABLE = true] {
        db_instance_class as "DBInstanceClass": Value<String>,
        ;
        auto_minor_version_upgrade: Value<bool>,
        availability_zone: Value<AvailabilityZone>,
        ca_certificate_identifier as "CACertificateIdentifier": Value<String>,
        copy_tags_to_snapshot: Value<bool>,
        db_cluster_identifier as "DBClusterIdentifier": Value<Name<DbCluster>>,
        db_instance_identifier as "DBInstanceIdentifier": Value<Name<DbInstance>>,
        db_subnet_group_name as "DBSubnetGroupName": Value<Name<DbSubnetGroup>>,
        enable_performance_insights: Value<bool>,
        engine: Value<String>,
        monitoring_interval: Value<i64>,
        monitoring_role_arn: Value<Arn<iam::Role>>,
        performance_insights_kms_key_id as "PerformanceInsightsKMSKeyId": Value<Arn<kms::Key>>,
        preferred_maintenance_window: Value<String>,
        promotion_tier: Value<i64>,
        publicly_accessible: Value<bool>,
        tags: Vec<Tag>,
    }
    => name: Name<DbInstance>;
}
