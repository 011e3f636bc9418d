//! What all verbs need: looking, the calls of our own, and roles. What CloudFormation makes is in `made.rs`.

use serde_json::json;

use super::document::Statement;
use super::made::{network, service, state};
use super::names::Names;

/// Services that are given one of the stack's roles.
const ROLES_FOR: [&str; 3] = ["ecs-tasks.amazonaws.com", "monitoring.rds.amazonaws.com", "vpc-flow-logs.amazonaws.com"];

/// Services that make a role of their own when they are first used in an account.
const OWN_ROLES: [&str; 6] = [
    "delivery.logs.amazonaws.com",
    "ecs.amazonaws.com",
    "ecs.application-autoscaling.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "rds.amazonaws.com",
    "wafv2.amazonaws.com",
];

pub(super) fn statements(names: &Names) -> Vec<Statement> {
    let mut statements = vec![looking(names)];
    statements.extend(tool(names));
    statements.extend(identity(names));
    statements.extend(state(names));
    statements.extend(network(names));
    statements.extend(service(names));
    statements
}

/// Reading, which AWS mostly cannot bind to names.
fn looking(names: &Names) -> Statement {
    Statement::anywhere(
        "Look",
        names.region_only(),
        &[
            "acm:DescribeCertificate",
            "acm:List*",
            "application-autoscaling:Describe*",
            "application-autoscaling:ListTagsForResource",
            "cloudformation:BatchDescribeTypeConfigurations",
            "cloudformation:DescribeStackDriftDetectionStatus",
            "cloudwatch:Describe*",
            "cloudwatch:GetMetricData",
            "cloudwatch:List*",
            "ec2:Describe*",
            "ec2:GetSecurityGroupsForVpc",
            "ecr:DescribeRepositories",
            "ecr:GetAuthorizationToken",
            "ecs:Describe*",
            "ecs:List*",
            "elasticloadbalancing:Describe*",
            "elasticloadbalancing:GetLoadBalancerWebACL",
            "kms:DescribeKey",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:List*",
            "logs:Describe*",
            "logs:ListTagsForResource",
            "rds:Describe*",
            "rds:ListTagsForResource",
            "secretsmanager:GetRandomPassword",
            "secretsmanager:ListSecrets",
            "sns:Get*",
            "sns:List*",
            "wafv2:Get*",
            "wafv2:List*",
        ],
    )
}

/// The stack itself, the template on its way to it, the image, the migration, the log.
fn tool(names: &Names) -> Vec<Statement> {
    let bucket = format!("{}-deployment-*", stack::proxy_stack::NAME);
    vec![
        Statement::on(
            "Stack",
            vec![
                names.arn("cloudformation", &format!("stack/{}/*", names.stack)),
                names.arn("cloudformation", "changeSet/deploy-*/*"),
            ],
            &[
                "cloudformation:ContinueUpdateRollback",
                "cloudformation:CreateChangeSet",
                "cloudformation:DeleteChangeSet",
                "cloudformation:DeleteStack",
                "cloudformation:Describe*",
                "cloudformation:DetectStackDrift",
                "cloudformation:DetectStackResourceDrift",
                "cloudformation:ExecuteChangeSet",
                "cloudformation:GetTemplate",
                "cloudformation:ListStackResources",
                "cloudformation:SetStackPolicy",
                "cloudformation:TagResource",
                "cloudformation:UntagResource",
                "cloudformation:UpdateTerminationProtection",
            ],
        ),
        Statement::on(
            "Template",
            vec![names.bare_arn("s3", &bucket), names.bare_arn("s3", &format!("{bucket}/*"))],
            &["s3:CreateBucket", "s3:GetObject", "s3:ListBucket", "s3:PutLifecycleConfiguration", "s3:PutObject"],
        ),
        Statement::on(
            "Image",
            vec![names.own("ecr", "repository/", "")],
            &[
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:CompleteLayerUpload",
                "ecr:CreateRepository",
                "ecr:DeleteLifecyclePolicy",
                "ecr:DeleteRepository",
                "ecr:DeleteRepositoryPolicy",
                "ecr:DescribeImages",
                "ecr:GetDownloadUrlForLayer",
                "ecr:GetLifecyclePolicy",
                "ecr:GetRepositoryPolicy",
                "ecr:InitiateLayerUpload",
                "ecr:ListTagsForResource",
                "ecr:PutImage",
                "ecr:PutImageScanningConfiguration",
                "ecr:PutImageTagMutability",
                "ecr:PutLifecyclePolicy",
                "ecr:SetRepositoryPolicy",
                "ecr:TagResource",
                "ecr:UntagResource",
                "ecr:UploadLayerPart",
            ],
        ),
        Statement::on(
            "Logs",
            names.log_groups(),
            &[
                "logs:AssociateKmsKey",
                "logs:CreateLogGroup",
                "logs:DeleteLogGroup",
                "logs:DeleteRetentionPolicy",
                "logs:DisassociateKmsKey",
                "logs:FilterLogEvents",
                "logs:GetDataProtectionPolicy",
                "logs:GetLogEvents",
                "logs:PutRetentionPolicy",
                "logs:TagResource",
                "logs:UntagResource",
            ],
        ),
    ]
}

/// Roles: making them, and giving them to services.
fn identity(names: &Names) -> Vec<Statement> {
    vec![
        Statement::on(
            "Roles",
            vec![names.roles()],
            &[
                "iam:AttachRolePolicy",
                "iam:CreateRole",
                "iam:DeleteRole",
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
                "iam:ListRoleTags",
                "iam:PutRolePolicy",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
                "iam:UpdateRoleDescription",
            ],
        ),
        Statement::on("RolesForServices", vec![names.roles()], &["iam:PassRole"])
            .only_if(json!({ "StringEquals": { "iam:PassedToService": ROLES_FOR } })),
        Statement::on(
            "OwnRolesOfServices",
            vec![names.global_arn("iam", "role/aws-service-role/*")],
            &["iam:CreateServiceLinkedRole"],
        )
        .only_if(json!({ "StringEquals": { "iam:AWSServiceName": OWN_ROLES } })),
        Statement::anywhere("AllRoles", None, &["iam:ListRoles"]),
    ]
}
