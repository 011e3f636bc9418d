//! `cargo xtask logs`: what tasks have logged, and what they log while somebody looks.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use support::within;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::offline::cloud::Cloud;
use crate::verbs::{Ended, command, xtask};

const GROUP: &str = "/ecs/claude-code-proxy";

/// The log of a deployment.
struct Log {
    client: aws_sdk_cloudwatchlogs::Client,
    now: i64,
}

impl Log {
    fn of(cloud: &Cloud) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        Self { client: aws_sdk_cloudwatchlogs::Client::new(&cloud.config), now: i64::try_from(now).unwrap() }
    }

    /// A task logs something, so many milliseconds from the beginning of the test.
    async fn write(&self, stream: &str, after: i64, message: &str) {
        // It may be there.
        let _ = self.client.create_log_stream().log_group_name(GROUP).log_stream_name(stream).send().await;
        let line = json!({ "timestamp": "2026-01-02T03:04:05.678Z", "level": "info", "message": message }).to_string();
        let event = InputLogEvent::builder().timestamp(self.now + after).message(line).build().unwrap();
        let put = self.client.put_log_events().log_group_name(GROUP).log_stream_name(stream).log_events(event);
        put.send().await.unwrap();
    }
}

#[tokio::test]
async fn lines_come_oldest_first_with_their_task() {
    let cloud = Cloud::deployed().await;
    let log = Log::of(&cloud);
    log.write("proxy/proxy/aaaaaaaa0000", -3_600_000, "an hour ago").await;
    log.write("proxy/proxy/aaaaaaaa0000", -3_000, "starting").await;
    log.write("proxy/proxy/aaaaaaaa0000", -2_000, "ready").await;
    // AWS sorts the lines of several tasks by their times; what plays it here gives task after task.
    log.write("proxy/proxy/bbbbbbbb0000", -1_000, "another").await;
    let said = xtask(&cloud.aws, &["logs"]).await.with(0);
    let lines = ["aaaaaaaa 03:04:05 info starting", "aaaaaaaa 03:04:05 info ready", "bbbbbbbb 03:04:05 info another"];
    assert_eq!(said.lines().collect::<Vec<_>>(), lines);
    let said = xtask(&cloud.aws, &["logs", "--since", "2h", "--filter", "hour"]).await.with(0);
    assert_eq!(said, "aaaaaaaa 03:04:05 info an hour ago\n");
    let raw = xtask(&cloud.aws, &["logs", "--raw"]).await.with(0);
    let lines: Vec<serde_json::Value> = raw.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["message"], "starting");
}

#[tokio::test]
async fn whoever_follows_reads_each_line_once_until_it_is_enough() {
    let cloud = Cloud::deployed().await;
    let log = Log::of(&cloud);
    log.write("proxy/proxy/aaaaaaaa0000", -1_000, "first").await;
    let mut child = command(&cloud.aws, &["logs", "--follow"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = async || within("a line", lines.next_line()).await.unwrap().unwrap();
    assert_eq!(next().await, "aaaaaaaa 03:04:05 info first");
    // Late: before the line that was printed already.
    log.write("proxy/proxy/bbbbbbbb0000", -1_500, "late").await;
    assert_eq!(next().await, "bbbbbbbb 03:04:05 info late");
    log.write("proxy/proxy/aaaaaaaa0000", 0, "last").await;
    assert_eq!(next().await, "aaaaaaaa 03:04:05 info last");
    let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).unwrap())).unwrap();
    kill_process(id, Signal::INT).unwrap();
    let rest = within("the end", lines.next_line()).await.unwrap();
    assert_eq!(rest, None, "nothing comes twice");
    let output = within("the end", child.wait_with_output()).await.unwrap();
    assert_eq!(Ended::of(&output).code, Some(0), "whoever has read enough has not failed");
}

#[tokio::test]
async fn migrations_have_a_log_of_their_own() {
    let cloud = Cloud::deployed().await;
    xtask(&cloud.aws, &["logs"]).await.with(0);
    xtask(&cloud.aws, &["logs", "--migrations"]).await.with(0);
    let calls = cloud.aws.calls_of("FilterLogEvents").await;
    let asked: Vec<_> = calls.iter().map(|call| call.parameters["logStreamNamePrefix"].as_str().unwrap()).collect();
    assert_eq!(asked, ["proxy/", "migrate/"]);
}

#[tokio::test]
async fn a_group_that_is_gone_is_named() {
    let cloud = Cloud::deployed().await;
    Log::of(&cloud).client.delete_log_group().log_group_name(GROUP).send().await.unwrap();
    let told = xtask(&cloud.aws, &["logs"]).await.telling(1);
    assert!(told.contains("there is no log group /ecs/claude-code-proxy"), "{told}");
}
