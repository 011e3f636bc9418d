//! `cargo xtask destroy`: takes the stack down after it has said what goes and what stays, and says at its end how the rest goes.

mod leftovers;
mod plan;

use std::io::{IsTerminal as _, stdin};
use std::time::Duration;

use anyhow::{Result, ensure};
use aws_sdk_cloudformation::types::StackStatus;
use xtask::progress::{show, step};

use crate::aws::{Aws, Where};
use crate::changes::Snapshot;
use crate::confirm::ask;
use crate::deployed::{Deployed, Phase};
use crate::events::{Events, causes};
use crate::exit::{Failed, Refused};
use crate::failure::told;
use crate::kept::{commands, found};
use crate::operation::{Ended, follow};
use crate::settings::Values;
use leftovers::Leftovers;
use plan::Plan;

/// The options of the verb.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
AWS keeps the secrets, the keys of KMS, the repository with its images, the log groups, and a last
snapshot of the database. The names of most block a new deployment until they are gone or brought
back; the end of the output says how each goes for good.

The database and the load balancer refuse to be deleted until that was allowed:
  cargo xtask deploy --parameter DeletionProtection=false")]
pub(crate) struct Arguments {
    /// Ask nobody
    #[arg(long)]
    yes: bool,
    /// How long to wait for the end; AWS goes on all the same
    #[arg(long, default_value = "1h", value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Duration,
}

/// Deletes the stack, or follows its deletion.
pub(crate) async fn run(place: &Where, arguments: &Arguments) -> Result<()> {
    let aws = Aws::open(place).await?;
    let Some(deployed) = Deployed::find(&aws, &aws.stack).await? else {
        step(format_args!("there is no stack {:?} in {}: nothing to do", aws.stack, aws.region));
        return left_before(&aws).await;
    };
    let snapshot = snapshot(&aws, &deployed).await?;
    let plan = Plan::new(&snapshot, &deployed.resources(&aws).await?);
    if deployed.status == StackStatus::DeleteInProgress {
        step("it is being deleted already");
        let events = Events::of_current(&deployed.id);
        return finish(&aws, &plan, &follow(&aws, &deployed.id, events, None, arguments.timeout).await?).await;
    }
    ensure!(
        deployed.phase() != Phase::Working,
        "the stack is changing ({}): wait until that is over, `cargo xtask status` says when",
        deployed.status.as_str()
    );
    if can_be_changed(&deployed) && !plan.protected.is_empty() {
        return Err(Refused(format!(
            "these refuse to be deleted: {}; first `cargo xtask deploy --parameter DeletionProtection=false`",
            plan.protected.join(", ")
        ))
        .into());
    }
    let account = &aws.identity().await?.account;
    step(format_args!("stack {} in {}, account {account}", aws.stack, aws.region));
    show(&plan);
    confirm(&aws, arguments.yes).await?;
    if deployed.protected {
        let asked = aws.cloudformation().update_termination_protection().stack_name(&deployed.id);
        let sent = asked.enable_termination_protection(false).send().await;
        sent.map_err(|error| told(error, "take the protection against deletion off"))?;
    }
    let events = Events::from_now(&aws, &deployed.id).await?;
    let sent = aws.cloudformation().delete_stack().stack_name(&deployed.id).send().await;
    sent.map_err(|error| told(error, "delete the stack"))?;
    finish(&aws, &plan, &follow(&aws, &deployed.id, events, None, arguments.timeout).await?).await
}

/// What an earlier deletion has left, as far as it has names that every deployment has.
async fn left_before(aws: &Aws) -> Result<()> {
    let template = stack::proxy_stack::proxy_stack().synth()?.json;
    let found = found(aws, &Snapshot::new(&template, &Values::new())?).await?;
    if !found.is_empty() {
        let commands = commands(&found, &aws.region);
        show(format_args!("Left by an earlier one. Each command below deletes one for good:\n{commands}"));
    }
    Ok(())
}

/// What the stack consists of; nothing where there is only a change set, which has no template yet.
async fn snapshot(aws: &Aws, deployed: &Deployed) -> Result<Snapshot> {
    if deployed.phase() == Phase::Draft {
        return Ok(Snapshot::default());
    }
    Snapshot::new(&deployed.template(aws).await?, &deployed.parameters)
}

/// Whether `deploy` could still change it. Elsewhere AWS tries, and says what is in the way.
fn can_be_changed(deployed: &Deployed) -> bool {
    deployed.phase() == Phase::Steady
}

async fn confirm(aws: &Aws, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !stdin().is_terminal() {
        return Err(Refused("nobody can be asked here: --yes deletes it".to_owned()).into());
    }
    let typed = ask(format!("Type {} to delete it from {}: ", aws.stack, aws.region)).await?;
    if typed != aws.stack {
        return Err(Refused(format!("{typed:?} is not {:?}: nothing was changed", aws.stack)).into());
    }
    Ok(())
}

async fn finish(aws: &Aws, plan: &Plan, ended: &Ended) -> Result<()> {
    if ended.status != StackStatus::DeleteComplete {
        let mut lines = vec![format!("the stack is not deleted ({})", ended.status.as_str())];
        for cause in causes(&ended.events) {
            let reason = cause.reason.as_deref().unwrap_or("AWS does not say why");
            lines.push(format!("  {} {}: {reason}", cause.type_name, cause.logical));
            lines.extend(plan.remedy(&cause.logical, &aws.region).map(|remedy| format!("    {remedy}")));
        }
        lines.push("when that is out of the way, the same command tries again".to_owned());
        return Err(Failed(lines.join("\n")).into());
    }
    step(format_args!("{} is deleted", aws.stack));
    if plan.kept.is_empty() {
        // A second try does not know any more what the first one has left.
        return left_before(aws).await;
    }
    show(Leftovers { plan, region: &aws.region });
    Ok(())
}
