//! Follows what CloudFormation does to a stack, to its end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use aws_sdk_cloudformation::types::StackStatus;
use xtask::progress::readable;

use crate::aws::Aws;
use crate::deployed::{Deployed, Phase};
use crate::events::{Event, Events};
use crate::rollout::Rollout;
use crate::ticker::Ticker;

/// How an operation ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The state of the stack.
    pub(crate) status: StackStatus,
    /// All that was reported.
    pub(crate) events: Vec<Event>,
    /// What is known of tasks that did not come up.
    pub(crate) tasks: Vec<String>,
}

impl Ended {
    /// Whether it came to what was wanted.
    pub(crate) fn succeeded(&self) -> bool {
        matches!(self.status, StackStatus::CreateComplete | StackStatus::UpdateComplete | StackStatus::DeleteComplete)
    }
}

/// Follows an operation to its end, with a line for each resource. `within` is the longest to wait: AWS goes on all the same.
pub(crate) async fn follow(
    aws: &Aws,
    stack: &str,
    mut events: Events,
    rollout: Option<&Rollout>,
    within: Duration,
) -> Result<Ended> {
    let mut ticker = Ticker::start();
    let mut all: Vec<Event> = Vec::new();
    let mut working: BTreeMap<String, Instant> = BTreeMap::new();
    let (mut tasks, mut said) = (Vec::new(), String::new());
    loop {
        // Before the events, so that none is missed between the last look and the end.
        let now = Deployed::find(aws, stack).await?.context("the stack is gone, and AWS does not remember it")?;
        let fresh = events.next(aws).await?;
        if let Some(rollout) = rollout.filter(|rollout| {
            working.contains_key(&rollout.logical) || fresh.iter().any(|event| event.logical == rollout.logical)
        }) {
            for news in rollout.news(aws, &mut said).await {
                ticker.line(&news);
            }
        }
        for event in fresh {
            if event.type_name == "AWS::ECS::Service" && event.is_cause() {
                // At once, because the tasks go with the roll-back.
                tasks = look_at_tasks(aws, rollout).await;
            }
            if let Some(line) = line(&event, &mut working) {
                ticker.line(&line);
            }
            all.push(event);
        }
        if !matches!(now.phase(), Phase::Working) {
            return Ok(Ended { status: now.status, events: all, tasks });
        }
        if ticker.elapsed() > within {
            bail!(
                "it is not over after {}, and AWS goes on: the same command follows it again; --timeout waits longer",
                readable(within)
            );
        }
        ticker.waiting(&waiting(&working));
        tokio::time::sleep(aws.look_every()).await;
    }
}

async fn look_at_tasks(aws: &Aws, rollout: Option<&Rollout>) -> Vec<String> {
    match rollout {
        Some(rollout) => rollout
            .stopped(aws)
            .await
            .unwrap_or_else(|error| vec![format!("why tasks stopped cannot be read: {error:#}")]),
        None => Vec::new(),
    }
}

/// What a person is told of an event; nothing of what has only begun, unless it says why.
fn line(event: &Event, working: &mut BTreeMap<String, Instant>) -> Option<String> {
    let reason = event.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    if event.of_stack {
        return Some(format!("{} {}{reason}", event.logical, event.status));
    }
    if event.status.ends_with("_IN_PROGRESS") {
        working.entry(event.logical.clone()).or_insert_with(Instant::now);
        return None;
    }
    let took = working.remove(&event.logical).map(|since| since.elapsed()).filter(|took| took.as_secs() > 0);
    let took = took.map(|took| format!(" ({})", readable(took))).unwrap_or_default();
    let (verb, state) = event.status.split_once('_').unwrap_or((&event.status, ""));
    let word = match (verb, state) {
        ("CREATE", "COMPLETE") => "made",
        ("UPDATE", "COMPLETE") => "changed",
        ("DELETE", "COMPLETE") => "deleted",
        ("DELETE", "SKIPPED") => "kept",
        (_, state) if state.ends_with("FAILED") => "FAILED",
        _ => &event.status,
    };
    Some(format!("{word:<8} {:<40} {}{took}{reason}", event.type_name, event.logical))
}

fn waiting(working: &BTreeMap<String, Instant>) -> String {
    let mut slowest: Vec<_> = working.iter().collect();
    slowest.sort_by_key(|(_, since)| **since);
    let named: Vec<_> =
        slowest.iter().take(3).map(|(id, since)| format!("{id} ({})", readable(since.elapsed()))).collect();
    let more = slowest.len().saturating_sub(named.len());
    match (named.is_empty(), more) {
        (true, _) => "waiting for AWS".to_owned(),
        (false, 0) => format!("waiting for {}", named.join(", ")),
        (false, more) => format!("waiting for {}, and {more} more", named.join(", ")),
    }
}
