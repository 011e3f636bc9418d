//! What `diff`, `status` and `logs` need.

use super::document::Statement;
use super::names::Names;

pub(super) fn statements(names: &Names) -> Vec<Statement> {
    vec![
        Statement::on(
            "Stack",
            vec![names.arn("cloudformation", &format!("stack/{}/*", names.stack))],
            &[
                "cloudformation:DescribeStackEvents",
                "cloudformation:DescribeStacks",
                "cloudformation:GetTemplate",
                "cloudformation:ListStackResources",
            ],
        ),
        Statement::on("Image", vec![names.own("ecr", "repository/", "")], &["ecr:DescribeImages"]),
        Statement::anywhere(
            "Service",
            names.region_only(),
            &["cloudwatch:DescribeAlarms", "ecs:DescribeServices", "ecs:DescribeTasks", "ecs:ListTasks"],
        ),
        Statement::on("Logs", vec![names.own("logs", "log-group:/ecs/", "*")], &["logs:FilterLogEvents"]),
        // Whether it has a value, and not the value.
        Statement::on(
            "Administrator",
            vec![names.own("secretsmanager", "secret:", "/admin-credentials-*")],
            &["secretsmanager:DescribeSecret"],
        ),
    ]
}
