//! The commands that look, and the migration by itself.

use serde_json::{Value, json};

use crate::policy::assert_allowed;
use crate::tool::{Tool, log_line};

#[tokio::test]
async fn a_difference_is_shown_without_writing_anything() {
    let tool = Tool::new();
    let printed = tool.ends_with(5, "diff", &["--exit-code"]).await;
    assert!(printed.stdout.contains("to add"), "{}", printed.stdout);
    tool.deploy(&[]).await;
    let done = tool.aws.calls().await.len();
    let printed = tool.ends_with(0, "diff", &["--exit-code"]).await;
    assert_eq!(printed.stdout.trim(), "no differences");

    let other = ["--parameter", "AdminCidrs=0.0.0.0/0"];
    let printed = tool.ends_with(0, "diff", &other).await;
    let opened = printed.stdout.lines().find(|line| line.starts_with("  + ")).unwrap();
    assert!(opened.contains("/admin") && opened.contains("source-ip 0.0.0.0/0"), "{opened}");
    let printed = tool.ends_with(5, "diff", &[&["--exit-code", "--json"][..], &other].concat()).await;
    let review: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(review["parameters"]["AdminCidrs"], json!(["127.0.0.1/32", "0.0.0.0/0"]));

    // Who may only read may look.
    assert_allowed(&tool.aws, &["--read-only"], done).await;
    let reading = |name: &str| ["Get", "Describe", "List"].iter().any(|word| name.starts_with(word));
    for call in tool.aws.calls().await.split_off(done) {
        assert!(reading(&call.operation), "diff has called {} of {}", call.operation, call.service);
    }
}

#[tokio::test]
async fn a_migration_runs_in_the_vpc_by_itself() {
    let tool = Tool::new();
    let there = ["--stack", "claude-code-proxy"];
    let printed = tool.ends_with(1, "migrate", &there).await;
    assert!(printed.stderr.contains("there is no stack"), "{}", printed.stderr);
    tool.deploy(&[]).await;
    tool.aws.next_task(json!({ "log": [log_line("info", "nothing to migrate")] })).await;
    let printed = tool.ends_with(0, "migrate", &there).await;
    assert!(printed.stderr.contains("| 03:04:05 info nothing to migrate"), "{}", printed.stderr);
    let ran = tool.aws.calls_of("RunTask").await;
    let network = &ran.last().unwrap().parameters["networkConfiguration"]["awsvpcConfiguration"];
    assert_eq!((&network["assignPublicIp"], network["subnets"].as_array().unwrap().len()), (&json!("DISABLED"), 2));

    for code in [1, 3] {
        tool.aws.next_task(json!({ "exit_code": code })).await;
        let printed = tool.ends_with(4, "migrate", &there).await;
        assert!(printed.stderr.contains(&format!("exit code {code}")), "{}", printed.stderr);
    }
}
