//! What CloudFormation does in the deployer's name to the resources of the stack.

use serde_json::json;

use super::document::Statement;
use super::names::Names;

/// Those that use the stack's keys when something of theirs is made or read.
const KEYS_FOR: [&str; 3] = ["ecr.*.amazonaws.com", "rds.*.amazonaws.com", "secretsmanager.*.amazonaws.com"];

/// What holds something: keys, secrets, the database.
pub(super) fn state(names: &Names) -> Vec<Statement> {
    let stack = &names.stack.to_lowercase();
    let database = |kind: &str| names.arn("rds", &format!("{kind}:{stack}-*"));
    vec![
        Statement::anywhere("NewKeys", names.region_only(), &["kms:CreateKey"]),
        Statement::on(
            "Keys",
            vec![names.arn("kms", "key/*"), names.own("kms", "alias/", "*")],
            &[
                "kms:CreateAlias",
                "kms:DeleteAlias",
                "kms:DisableKey",
                "kms:DisableKeyRotation",
                "kms:EnableKey",
                "kms:EnableKeyRotation",
                "kms:PutKeyPolicy",
                "kms:ScheduleKeyDeletion",
                "kms:TagResource",
                "kms:UntagResource",
                "kms:UpdateAlias",
                "kms:UpdateKeyDescription",
            ],
        ),
        Statement::on(
            "KeysForServices",
            vec![names.arn("kms", "key/*")],
            &["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey*", "kms:RetireGrant"],
        )
        .only_if(json!({ "StringLike": { "kms:ViaService": KEYS_FOR } })),
        Statement::on(
            "Secrets",
            vec![names.own("secretsmanager", "secret:", "/*")],
            &[
                "secretsmanager:CreateSecret",
                "secretsmanager:DeleteSecret",
                "secretsmanager:DescribeSecret",
                "secretsmanager:ListSecretVersionIds",
                "secretsmanager:TagResource",
                "secretsmanager:UntagResource",
                "secretsmanager:UpdateSecret",
            ],
        ),
        // The login goes into the database by reading it; that of administrators is written. No other secret is anybody's business.
        Statement::on(
            "Logins",
            vec![
                names.own("secretsmanager", "secret:", "/database-*"),
                names.own("secretsmanager", "secret:", "/admin-credentials-*"),
            ],
            &["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
        ),
        Statement::on(
            "Database",
            vec![
                names.own("rds", "cluster:", ""),
                database("cluster-pg"),
                database("cluster-snapshot"),
                database("db"),
                database("subgrp"),
                names.arn("rds", "og:default*"),
                names.arn("rds", "pg:default*"),
            ],
            &[
                "rds:AddTagsToResource",
                "rds:CreateDB*",
                "rds:DeleteDBCluster",
                "rds:DeleteDBClusterParameterGroup",
                "rds:DeleteDBInstance",
                "rds:DeleteDBSubnetGroup",
                "rds:ModifyDB*",
                "rds:RebootDBInstance",
                "rds:RemoveTagsFromResource",
                "rds:ResetDBClusterParameterGroup",
            ],
        ),
    ]
}

/// Network, load balancer, firewall, certificate, record: mostly numbers that AWS makes up.
pub(super) fn network(names: &Names) -> Vec<Statement> {
    vec![
        Statement::anywhere(
            "Network",
            names.region_only(),
            &[
                "acm:AddTagsToCertificate",
                "acm:DeleteCertificate",
                "acm:RemoveTagsFromCertificate",
                "acm:RequestCertificate",
                "acm:UpdateCertificateOptions",
                "ec2:AllocateAddress",
                "ec2:AssociateAddress",
                "ec2:AssociateRouteTable",
                "ec2:AttachInternetGateway",
                "ec2:AuthorizeSecurityGroup*",
                "ec2:CreateFlowLogs",
                "ec2:CreateInternetGateway",
                "ec2:CreateNatGateway",
                "ec2:CreateRoute",
                "ec2:CreateRouteTable",
                "ec2:CreateSecurityGroup",
                "ec2:CreateSubnet",
                "ec2:CreateTags",
                "ec2:CreateVpc",
                "ec2:CreateVpcEndpoint",
                "ec2:DeleteFlowLogs",
                "ec2:DeleteInternetGateway",
                "ec2:DeleteNatGateway",
                "ec2:DeleteRoute",
                "ec2:DeleteRouteTable",
                "ec2:DeleteSecurityGroup",
                "ec2:DeleteSubnet",
                "ec2:DeleteTags",
                "ec2:DeleteVpc",
                "ec2:DeleteVpcEndpoints",
                "ec2:DetachInternetGateway",
                "ec2:DisassociateAddress",
                "ec2:DisassociateRouteTable",
                "ec2:ModifySubnetAttribute",
                "ec2:ModifyVpcAttribute",
                "ec2:ModifyVpcEndpoint",
                "ec2:ReleaseAddress",
                "ec2:ReplaceRoute*",
                "ec2:RevokeSecurityGroup*",
                "ec2:UpdateSecurityGroupRuleDescriptions*",
                "elasticloadbalancing:AddTags",
                "elasticloadbalancing:Create*",
                "elasticloadbalancing:Delete*",
                "elasticloadbalancing:DeregisterTargets",
                "elasticloadbalancing:Modify*",
                "elasticloadbalancing:RegisterTargets",
                "elasticloadbalancing:RemoveTags",
                "elasticloadbalancing:Set*",
                "logs:CreateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:PutResourcePolicy",
                "wafv2:AssociateWebACL",
                "wafv2:CreateWebACL",
                "wafv2:DeleteLoggingConfiguration",
                "wafv2:DeleteWebACL",
                "wafv2:DisassociateWebACL",
                "wafv2:PutLoggingConfiguration",
                "wafv2:TagResource",
                "wafv2:UntagResource",
                "wafv2:UpdateWebACL",
            ],
        ),
        Statement::on(
            "Records",
            vec![names.zone(), names.bare_arn("route53", "change/*")],
            &[
                "route53:ChangeResourceRecordSets",
                "route53:GetChange",
                "route53:GetHostedZone",
                "route53:ListResourceRecordSets",
            ],
        ),
        // No region: its calls all go to one.
        Statement::anywhere("Zones", None, &["route53:ListHostedZones"]),
    ]
}

/// Tasks, their scaling, alarms and whom they tell.
pub(super) fn service(names: &Names) -> Vec<Statement> {
    let mut alarms = names.alarms();
    alarms.extend([
        names.arn("cloudwatch", "alarm:TargetTracking-*"),
        names.global_arn("cloudwatch", &format!("dashboard/{}", stack::proxy_stack::NAME)),
    ]);
    vec![
        Statement::on(
            "Service",
            vec![
                names.own("ecs", "cluster/", ""),
                names.own("ecs", "service/", "/*"),
                names.own("ecs", "service-deployment/", "/*"),
                names.own("ecs", "task/", "/*"),
                names.own("ecs", "task-definition/", "*"),
            ],
            &[
                "ecs:CreateService",
                "ecs:DeleteCluster",
                "ecs:DeleteService",
                "ecs:PutClusterCapacityProviders",
                "ecs:RunTask",
                "ecs:StopServiceDeployment",
                "ecs:TagResource",
                "ecs:UntagResource",
                "ecs:UpdateCluster*",
                "ecs:UpdateService",
            ],
        ),
        // AWS does not ask for these by name.
        Statement::anywhere(
            "TasksAndScaling",
            names.region_only(),
            &[
                "application-autoscaling:DeleteScalingPolicy",
                "application-autoscaling:DeregisterScalableTarget",
                "application-autoscaling:PutScalingPolicy",
                "application-autoscaling:RegisterScalableTarget",
                "application-autoscaling:TagResource",
                "application-autoscaling:UntagResource",
                "ecs:CreateCluster",
                "ecs:DeregisterTaskDefinition",
                "ecs:RegisterTaskDefinition",
                "sns:SetSubscriptionAttributes",
                "sns:Unsubscribe",
            ],
        ),
        Statement::on(
            "Alarms",
            alarms,
            &[
                "cloudwatch:DeleteAlarms",
                "cloudwatch:DeleteDashboards",
                "cloudwatch:GetDashboard",
                "cloudwatch:PutDashboard",
                "cloudwatch:PutMetricAlarm",
                "cloudwatch:TagResource",
                "cloudwatch:UntagResource",
            ],
        ),
        Statement::on(
            "Topics",
            vec![names.own("sns", "", "-*")],
            &[
                "sns:CreateTopic",
                "sns:DeleteTopic",
                "sns:SetTopicAttributes",
                "sns:Subscribe",
                "sns:TagResource",
                "sns:UntagResource",
            ],
        ),
    ]
}
