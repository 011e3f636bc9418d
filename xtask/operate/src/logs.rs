//! `cargo xtask logs`: what the tasks have logged, and what they log.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use chrono::Utc;

use crate::aws::{Aws, Where};
use crate::changes::Snapshot;
use crate::containers::{Containers, task_id};
use crate::deployed::Deployed;
use crate::failure::{is_missing, told};
use crate::interrupted;
use crate::log_stream::readable_line;
use crate::migration::LOG_PREFIX;
use crate::stdout::print;
use xtask::progress::step;

/// Between two looks for what is new; AWS allows five a second for an account.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Lines of several tasks arrive out of order, so what is younger than this is looked at again.
const LATE: i64 = 30_000;
/// As much of a task's id as tells tasks apart.
const SHORT: usize = 8;

/// The options of the verb.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Each line begins with the task that wrote it. A pattern is one of CloudWatch Logs:
  cargo xtask logs --filter error                                # has this word in it
  cargo xtask logs --since 1h --filter '{ $.level = \"error\" }'   # a field of the log")]
pub(crate) struct Arguments {
    /// How far back: 30s, 10m, 2h, 1d
    #[arg(long, default_value = "10m", value_name = "DURATION", value_parser = humantime::parse_duration)]
    since: Duration,
    /// Go on with what comes, until Ctrl-C
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Only lines that match
    #[arg(long, value_name = "PATTERN")]
    filter: Option<String>,
    /// Lines as they were written, in JSON, without the task
    #[arg(long)]
    raw: bool,
    /// The log of migrations in place of that of the service
    #[arg(long)]
    migrations: bool,
}

/// Prints the log, oldest first.
pub(crate) async fn run(place: &Where, arguments: &Arguments) -> Result<()> {
    let aws = Aws::open(place).await?;
    let deployed = Deployed::get(&aws).await?;
    let containers = containers(&aws, &deployed).await?;
    let since = i64::try_from(arguments.since.as_millis()).unwrap_or(i64::MAX);
    let mut tail = Tail {
        group: containers.log_group.clone(),
        filter: arguments.filter.clone(),
        raw: arguments.raw,
        streams: format!("{}/", if arguments.migrations { LOG_PREFIX } else { &containers.log_prefix }),
        found_something: false,
        seen: Seen::since(Utc::now().timestamp_millis().saturating_sub(since).max(0)),
    };
    let follow = async {
        while tail.print_new(&aws).await? && arguments.follow {
            tokio::time::sleep(if aws.offline { aws.look_every() } else { LOOK_EVERY }).await;
        }
        Ok(())
    };
    let done = tokio::select! {
        done = follow => done,
        // The way in which a person ends it, and no failure.
        () = interrupted(), if arguments.follow => Ok(()),
    };
    if done.is_ok() && !tail.found_something {
        let since = humantime::format_duration(arguments.since);
        step(format_args!("no lines in {} in the last {since}; --since looks further back", tail.group));
    }
    done
}

/// The containers, also where none has come up yet: the first migration runs before there is a service.
async fn containers(aws: &Aws, deployed: &Deployed) -> Result<Containers> {
    let mut parameters = deployed.parameters.clone();
    if deployed.image().is_none() {
        parameters.insert("ImageDigest".to_owned(), "sha256:any".to_owned());
    }
    let snapshot = Snapshot::new(&deployed.template(aws).await?, &parameters)?;
    Containers::of(&snapshot).context("nothing has run yet: `cargo xtask deploy`")
}

/// The end of a log.
struct Tail {
    group: String,
    filter: Option<String>,
    raw: bool,
    /// What the names of the streams begin with.
    streams: String,
    found_something: bool,
    seen: Seen,
}

impl Tail {
    /// Prints what is new; says whether anybody still reads.
    async fn print_new(&mut self, aws: &Aws) -> Result<bool> {
        let asked = aws.logs().filter_log_events().log_group_name(&self.group).set_filter_pattern(self.filter.clone());
        let asked = asked.log_stream_name_prefix(&self.streams);
        let mut pages = asked.start_time(self.seen.from).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                if is_missing(&error) {
                    anyhow!(
                        "there is no log group {}: it was deleted; `cargo xtask diff` shows what is missing",
                        self.group
                    )
                } else {
                    told(error, "read the log")
                }
            })?;
            for event in page.events.unwrap_or_default() {
                self.found_something = true;
                let is_new = self.seen.is_new(event.timestamp.unwrap_or_default(), event.event_id.as_deref());
                if is_new && !print(&line(&event, self.raw))? {
                    return Ok(false);
                }
            }
        }
        self.seen.forget_old();
        Ok(true)
    }
}

fn line(event: &FilteredLogEvent, raw: bool) -> String {
    let message = event.message.as_deref().unwrap_or_default();
    if raw {
        return message.trim_end().to_owned();
    }
    let task: String = task_id(event.log_stream_name.as_deref().unwrap_or_default()).chars().take(SHORT).collect();
    format!("{task} {}", readable_line(message))
}

/// What was printed already, as far back as anything may come late.
#[derive(Debug)]
struct Seen {
    /// The time from which AWS is asked.
    from: i64,
    latest: i64,
    ids: BTreeSet<(i64, String)>,
}

impl Seen {
    fn since(from: i64) -> Self {
        Self { from, latest: from, ids: BTreeSet::new() }
    }

    fn is_new(&mut self, at: i64, id: Option<&str>) -> bool {
        self.latest = self.latest.max(at);
        // A line without a number cannot be told from another one, so it is rather printed twice than not at all.
        id.is_none_or(|id| self.ids.insert((at, id.to_owned())))
    }

    fn forget_old(&mut self) {
        self.from = self.from.max(self.latest - LATE);
        self.ids = self.ids.split_off(&(self.from, String::new()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_printed_twice_and_what_is_late_is_printed() {
        let mut seen = Seen::since(100_000);
        assert!(seen.is_new(150_000, Some("a")));
        assert!(!seen.is_new(150_000, Some("a")));
        assert!(seen.is_new(150_000, Some("b")), "two tasks write in the same millisecond");
        seen.forget_old();
        assert_eq!(seen.from, 120_000);
        assert!(seen.is_new(125_000, Some("late")));
        assert!(!seen.is_new(150_000, Some("a")), "what is asked for again is still known");
        assert!(seen.is_new(190_000, Some("c")));
        seen.forget_old();
        assert_eq!((seen.from, seen.ids.len()), (160_000, 1), "what is not asked for again is forgotten");
    }

    #[test]
    fn a_line_names_its_task_unless_it_is_raw() {
        let event = FilteredLogEvent::builder()
            .log_stream_name("proxy/proxy/0123456789abcdef0123456789abcdef")
            .message("{\"timestamp\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\",\"message\":\"ready\"}\n")
            .build();
        assert_eq!(line(&event, false), "01234567 03:04:05 info ready");
        assert!(line(&event, true).starts_with("{\"timestamp\"") && line(&event, true).ends_with('}'));
    }
}
