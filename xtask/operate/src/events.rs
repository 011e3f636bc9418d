//! What CloudFormation reports about the resources of a stack while it works on them.

use std::collections::HashSet;

use anyhow::Result;
use aws_sdk_cloudformation::types::StackEvent;
use chrono::{DateTime, Utc};

use crate::aws::Aws;
use crate::failure::told;

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its number.
    pub(crate) id: String,
    /// When it was made.
    pub(crate) at: DateTime<Utc>,
    /// The resource's logical id; the stack's name where it is about the stack.
    pub(crate) logical: String,
    /// AWS's name of the type.
    pub(crate) type_name: String,
    /// Such as `CREATE_IN_PROGRESS`.
    pub(crate) status: String,
    /// Why.
    pub(crate) reason: Option<String>,
    /// Whether it is about the stack as a whole.
    pub(crate) of_stack: bool,
}

impl Event {
    fn read(event: StackEvent) -> Option<Self> {
        let time = event.timestamp?;
        Some(Self {
            id: event.event_id?,
            at: DateTime::from_timestamp(time.secs(), time.subsec_nanos())?,
            of_stack: event.physical_resource_id.is_some() && event.physical_resource_id == event.stack_id,
            logical: event.logical_resource_id.unwrap_or_default(),
            type_name: event.resource_type.unwrap_or_default(),
            status: event.resource_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
            reason: event.resource_status_reason,
        })
    }

    /// Whether an operation on the stack begins with it.
    pub(crate) fn begins(&self) -> bool {
        self.of_stack
            && matches!(
                &*self.status,
                "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "DELETE_IN_PROGRESS" | "IMPORT_IN_PROGRESS"
            )
    }

    /// Whether it says that something could not be done, and not merely that it was given up because of something else.
    pub(crate) fn is_cause(&self) -> bool {
        self.status.ends_with("_FAILED") && !self.of_stack && !self.is_given_up()
    }

    /// Whether it says that something was given up because something else has failed.
    pub(crate) fn is_given_up(&self) -> bool {
        let cancelled = self.reason.as_deref().is_some_and(|reason| reason.to_lowercase().contains("cancelled"));
        cancelled && self.status.ends_with("_FAILED") && !self.of_stack
    }
}

/// The events of one operation, read piece by piece.
#[derive(Debug)]
pub(crate) struct Events {
    stack: String,
    /// The last event before the operation; without one the operation is that which is under way.
    before: Option<String>,
    seen: HashSet<String>,
}

impl Events {
    /// The events of what begins after this call.
    pub(crate) async fn from_now(aws: &Aws, stack: &str) -> Result<Self> {
        let answer = aws.cloudformation().describe_stack_events().stack_name(stack).send().await;
        let answer = answer.map_err(|error| told(error, "read the events of the stack"))?;
        let before = answer.stack_events.unwrap_or_default().into_iter().next().and_then(|event| event.event_id);
        Ok(Self { stack: stack.to_owned(), before, seen: HashSet::new() })
    }

    /// The events of what is under way.
    pub(crate) fn of_current(stack: &str) -> Self {
        Self { stack: stack.to_owned(), before: None, seen: HashSet::new() }
    }

    /// What is new since the last call, in the order in which it happened.
    pub(crate) async fn next(&mut self, aws: &Aws) -> Result<Vec<Event>> {
        // Newest first, page by page, until what is known.
        let mut pages = aws.cloudformation().describe_stack_events().stack_name(&self.stack).into_paginator().send();
        let mut fresh = Vec::new();
        'pages: while let Some(page) = pages.next().await {
            let page = page.map_err(|error| told(error, "read the events of the stack"))?;
            for event in page.stack_events.unwrap_or_default().into_iter().filter_map(Event::read) {
                if self.seen.contains(&event.id) || self.before.as_ref() == Some(&event.id) {
                    break 'pages;
                }
                let first = self.before.is_none() && event.begins();
                fresh.push(event);
                if first {
                    break 'pages;
                }
            }
        }
        fresh.reverse();
        self.seen.extend(fresh.iter().map(|event| event.id.clone()));
        Ok(fresh)
    }
}

/// What an operation has failed of, the first cause first.
pub(crate) fn causes(events: &[Event]) -> Vec<&Event> {
    events.iter().filter(|event| event.is_cause()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(logical: &str, status: &str, reason: Option<&str>) -> Event {
        Event {
            id: format!("{logical}-{status}"),
            at: DateTime::UNIX_EPOCH,
            logical: logical.to_owned(),
            type_name: "AWS::SQS::Queue".to_owned(),
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
            of_stack: logical == "stack",
        }
    }

    #[test]
    fn a_cause_is_what_failed_by_itself() {
        let events = [
            event("stack", "CREATE_IN_PROGRESS", Some("User Initiated")),
            event("Key", "CREATE_COMPLETE", None),
            event("Queue", "CREATE_FAILED", Some("a queue of this name exists")),
            event("Topic", "CREATE_FAILED", Some("Resource creation cancelled")),
            event("stack", "ROLLBACK_IN_PROGRESS", Some("The following resource(s) failed to create: [Queue, Topic].")),
            event("Key", "DELETE_FAILED", Some("it is in use")),
            event("stack", "ROLLBACK_FAILED", None),
        ];
        let causes: Vec<_> = causes(&events).iter().map(|event| event.logical.as_str()).collect();
        assert_eq!(causes, ["Queue", "Key"]);
    }
}
