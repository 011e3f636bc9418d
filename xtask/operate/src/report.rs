//! What a deployment came to: for people where it failed, for programs in every case.

use std::collections::BTreeMap;

use anyhow::{Error, anyhow};
use serde::Serialize;

use crate::aws::Aws;
use crate::changes::Review;
use crate::events::causes;
use crate::exit::{Failed, Refused};
use crate::operation::Ended;
use crate::remedies;

/// What `--json` prints, whatever happens.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// What it came to.
    pub(crate) outcome: Outcome,
    /// The stack.
    pub(crate) stack: String,
    /// The region.
    pub(crate) region: String,
    /// The digest of the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<String>,
    /// The change set that waits to be executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) change_set: Option<String>,
    /// What changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) review: Option<Review>,
    /// Properties that somebody has changed by hand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) drift: Vec<String>,
    /// The outputs of the stack.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) outputs: BTreeMap<String, String>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// What a deployment came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// Everything is as the sources say, and was before.
    NothingToDo,
    /// Everything is as the sources say.
    Deployed,
    /// The change set is made and not executed, as was wished.
    Planned,
    /// It needs a person's word.
    Refused,
    /// AWS could not do it and has put everything back.
    Failed,
    /// Something else went wrong.
    #[default]
    Error,
}

impl Report {
    /// Notes an error.
    pub(crate) fn failed_with(&mut self, error: &Error) {
        self.outcome = if error.is::<Refused>() {
            Outcome::Refused
        } else if error.is::<Failed>() {
            Outcome::Failed
        } else {
            Outcome::Error
        };
        self.error = Some(format!("{error:#}"));
    }
}

/// Why an operation failed: the first cause first, with what to do about it.
pub(crate) fn failed(aws: &Aws, ended: &Ended) -> Error {
    let mut lines = vec![format!("AWS could not do it: the stack is {}", ended.status.as_str())];
    let causes = causes(&ended.events);
    for (number, cause) in causes.iter().enumerate() {
        let word = if number == 0 { "first cause" } else { "then" };
        let reason = cause.reason.as_deref().unwrap_or("AWS does not say why");
        lines.push(format!("  {word}: {} {}: {reason}", cause.type_name, cause.logical));
    }
    if causes.is_empty() {
        let last = ended.events.iter().rev().find_map(|event| event.reason.as_deref());
        lines.push(format!("  {}", last.unwrap_or("AWS does not say why")));
    }
    lines.extend(ended.tasks.iter().map(|line| format!("  {line}")));
    // Of tasks that did not start more is known than of the service that waited for them.
    let mut reasons =
        ended.tasks.iter().map(String::as_str).chain(causes.iter().filter_map(|cause| cause.reason.as_deref()));
    lines.extend(reasons.find_map(remedies::of).map(str::to_owned));
    lines.push(match ended.status.as_str() {
        "ROLLBACK_COMPLETE" => "Nothing is left of it. When that is mended: cargo xtask deploy".to_owned(),
        "UPDATE_ROLLBACK_COMPLETE" => "What was before is back. When that is mended: cargo xtask deploy".to_owned(),
        "UPDATE_ROLLBACK_FAILED" => format!("When that is mended: {}", go_on_back(aws)),
        _ => "`cargo xtask status` shows how it is".to_owned(),
    });
    anyhow!(Failed(lines.join("\n")))
}

/// How a roll-back that is stuck goes on.
pub(crate) fn go_on_back(aws: &Aws) -> String {
    format!("aws cloudformation continue-update-rollback --stack-name {} --region {}", aws.stack, aws.region)
}
