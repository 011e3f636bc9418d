//! Brings the stack into a state in which it can be changed, whatever a deployment before has left behind.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_sdk_cloudformation::types::StackStatus;
use xtask::progress::{loud, step};

use crate::aws::Aws;
use crate::confirm::confirm;
use crate::deployed::{Deployed, Phase};
use crate::events::Events;
use crate::exit::Refused;
use crate::failure::told;
use crate::operation::follow;
use crate::report::{failed, go_on_back};
use crate::rollout::Rollout;

/// Whether what is left of a creation that failed may be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// It may.
    Given,
    /// A person is asked.
    Asked,
    /// Nothing may be changed.
    Refused,
}

/// The stack when nothing is under way any more; none where it has to be made.
///
/// An operation that is under way is followed, and its failure is ours; what is left of a creation that failed is deleted:
/// nothing of it was ever in use.
pub(crate) async fn settled(
    aws: &Aws,
    rollout: Option<&Rollout>,
    within: Duration,
    consent: Consent,
) -> Result<Option<Deployed>> {
    let Some(mut deployed) = Deployed::find(aws, &aws.stack).await? else { return Ok(None) };
    if deployed.status == StackStatus::DeleteInProgress {
        bail!(Refused(format!(
            "{} is being deleted: `cargo xtask destroy` follows it, and afterwards it can be made anew",
            aws.stack
        )));
    }
    if deployed.phase() == Phase::Working {
        step(format_args!("AWS is at work on {} ({}): this is followed first", aws.stack, deployed.status.as_str()));
        let ended = follow(aws, &deployed.id, Events::of_current(&deployed.id), rollout, within).await?;
        if !ended.succeeded() {
            return Err(failed(aws, &ended));
        }
        deployed = Deployed::find(aws, &aws.stack).await?.context("the stack is gone")?;
    }
    match deployed.phase() {
        Phase::Steady | Phase::Draft => Ok(Some(deployed)),
        Phase::Stillborn => {
            loud(format_args!("{} was never finished ({})", aws.stack, deployed.status.as_str()));
            match consent {
                Consent::Given => {}
                Consent::Asked => confirm("Delete what is left of it?", "give --yes, and it is deleted").await?,
                Consent::Refused => {
                    bail!(Refused("it has to be deleted first: deploy without --no-execute".to_owned()))
                }
            }
            step("deleting what is left of it");
            delete(aws, &deployed, within).await?;
            Ok(None)
        }
        Phase::Stuck if deployed.status.as_str() == "DELETE_FAILED" => bail!(
            "{} was to be deleted, and AWS could not: {}. `cargo xtask destroy` goes on with it",
            aws.stack,
            deployed.reason.unwrap_or_default()
        ),
        Phase::Stuck => bail!(crate::exit::Failed(format!(
            "AWS could not put back what was before an update ({}): {}. Mend what it names, then `{}`, and deploy again",
            deployed.status.as_str(),
            deployed.reason.unwrap_or_default().trim_end_matches(['.', ' ']),
            go_on_back(aws)
        ))),
        Phase::Working => bail!("somebody else has begun to change {}; try again", aws.stack),
    }
}

/// Deletes a stack and follows it to its end.
pub(crate) async fn delete(aws: &Aws, deployed: &Deployed, within: Duration) -> Result<()> {
    let events = Events::from_now(aws, &deployed.id).await?;
    let asked = aws.cloudformation().delete_stack().stack_name(&deployed.id).send().await;
    asked.map_err(|error| told(error, "delete the stack"))?;
    let ended = follow(aws, &deployed.id, events, None, within).await?;
    if ended.succeeded() { Ok(()) } else { Err(failed(aws, &ended)) }
}
