//! What somebody has changed by hand, past the stack: an update may undo it, or trip over it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use aws_sdk_cloudformation::types::{StackDriftDetectionStatus, StackDriftStatus, StackResourceDriftStatus};

use crate::aws::Aws;
use crate::failure::told;
use crate::ticker::Ticker;

/// AWS looks at some resources a second.
const WITHIN: Duration = Duration::from_mins(5);

/// A line for each property that is another in AWS than in the template.
pub(crate) async fn drift(aws: &Aws, stack: &str) -> Result<Vec<String>> {
    let cloudformation = aws.cloudformation();
    let begun = cloudformation.detect_stack_drift().stack_name(stack).send().await;
    let begun = begun.map_err(|error| told(error, "look for changes by hand"))?;
    let id = begun.stack_drift_detection_id.context("AWS names no search for changes by hand")?;
    let (started, mut ticker) = (Instant::now(), Ticker::start());
    let status = loop {
        let state = cloudformation.describe_stack_drift_detection_status().stack_drift_detection_id(&id).send().await;
        let state = state.map_err(|error| told(error, "look for changes by hand"))?;
        match state.detection_status.as_ref().map(StackDriftDetectionStatus::as_str) {
            // What it could not look at is no change; the rest is known.
            Some("DETECTION_COMPLETE" | "DETECTION_FAILED") => break state.stack_drift_status,
            _ if started.elapsed() > WITHIN => bail!("AWS still looks for changes by hand after 5 minutes"),
            _ => {
                ticker.waiting("looking for changes by hand");
                tokio::time::sleep(aws.look_every()).await;
            }
        }
    };
    if status != Some(StackDriftStatus::Drifted) {
        return Ok(Vec::new());
    }
    let changed = [StackResourceDriftStatus::Modified, StackResourceDriftStatus::Deleted];
    let asked = cloudformation.describe_stack_resource_drifts().stack_name(stack);
    let mut pages = asked.set_stack_resource_drift_status_filters(Some(changed.to_vec())).into_paginator().send();
    let mut lines = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| told(error, "read what was changed by hand"))?;
        for found in page.stack_resource_drifts.unwrap_or_default() {
            let name = format!(
                "{} {}",
                found.resource_type.as_deref().unwrap_or_default(),
                found.logical_resource_id.as_deref().unwrap_or_default()
            );
            let properties = found.property_differences.unwrap_or_default();
            if properties.is_empty() {
                lines.push(format!("{name} was deleted"));
            }
            for property in properties {
                let [path, expected, actual] =
                    [&property.property_path, &property.expected_value, &property.actual_value]
                        .map(|value| value.as_deref().unwrap_or("nothing"));
                lines.push(format!("{name}: {path} is {actual}, not {expected}"));
            }
        }
    }
    Ok(lines)
}
