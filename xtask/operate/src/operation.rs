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

/// AWS begins a moment after it has said that it will.
const BEGINS_WITHIN: Duration = Duration::from_mins(2);

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
        matches!(
            self.status,
            StackStatus::CreateComplete
                | StackStatus::UpdateComplete
                | StackStatus::ImportComplete
                | StackStatus::DeleteComplete
        )
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
    let (mut tasks, mut said, mut given_up) = (Vec::new(), String::new(), 0);
    loop {
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
            if event.is_given_up() {
                working.remove(&event.logical);
                given_up += 1;
            } else if let Some(line) = line(&event, &mut working) {
                if event.of_stack && given_up > 0 {
                    ticker.line(&format!("{given_up} others were given up because of that"));
                    given_up = 0;
                }
                ticker.line(&line);
            }
            all.push(event);
        }
        // After the events, so that the state is not one from before them.
        let now = Deployed::find(aws, stack).await?.context("the stack is gone, and AWS does not remember it")?;
        if has_ended(&now, &all) {
            return Ok(Ended { status: now.status, events: all, tasks });
        }
        if all.is_empty() && ticker.elapsed() > BEGINS_WITHIN {
            bail!("AWS has not begun after {}: run the same again", readable(BEGINS_WITHIN));
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

/// Whether what was begun is over: AWS says "yes" before it begins, so that the state from before must not be taken for the end.
fn has_ended(now: &Deployed, events: &[Event]) -> bool {
    if now.status == StackStatus::DeleteComplete {
        return true;
    }
    let last = events.iter().rev().find(|event| event.of_stack);
    let begun = events.iter().any(Event::begins);
    begun && now.phase() != Phase::Working && last.is_some_and(|event| event.status == now.status.as_str())
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

/// What a person is told of an event; nothing of a resource whose work has only begun.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(status: StackStatus) -> Deployed {
        Deployed {
            id: "stack".to_owned(),
            status,
            reason: None,
            parameters: BTreeMap::new(),
            outputs: BTreeMap::new(),
            protected: true,
        }
    }

    fn said(statuses: &[&str]) -> Vec<Event> {
        let event = |status: &&str| Event {
            id: (*status).to_owned(),
            at: chrono::DateTime::UNIX_EPOCH,
            logical: "claude-code-proxy".to_owned(),
            type_name: "AWS::CloudFormation::Stack".to_owned(),
            status: (*status).to_owned(),
            reason: None,
            of_stack: true,
        };
        statuses.iter().map(event).collect()
    }

    #[test]
    fn the_state_from_before_is_not_the_end() {
        let before = stack(StackStatus::UpdateComplete);
        assert!(!has_ended(&before, &[]), "nothing has begun");
        assert!(!has_ended(&before, &said(&["UPDATE_IN_PROGRESS"])), "it has begun, and the state is an old one");
        let done = said(&["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]);
        assert!(has_ended(&before, &done));
        assert!(!has_ended(&stack(StackStatus::UpdateInProgress), &said(&["UPDATE_IN_PROGRESS"])));
        let undone = said(&["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]);
        assert!(!has_ended(&before, &undone), "the state is still the one from before");
        assert!(has_ended(&stack(StackStatus::UpdateRollbackComplete), &undone));
        assert!(has_ended(&stack(StackStatus::DeleteComplete), &[]));
    }
}
