//! `cargo xtask deploy`: infrastructure, image, schema, service; each step can be interrupted and is taken up by the next call.

mod plan;
mod steps;

use std::time::Duration;

use anyhow::{Result, bail};
use aws_sdk_cloudformation::types::ChangeAction;
use xtask::progress::{loud, show, step};

use crate::aws::{Aws, Where};
use crate::change_set::{ChangeSet, Wish};
use crate::changes::Review;
use crate::confirm::confirm;
use crate::deployed::Deployed;
use crate::drift::drift;
use crate::exit::{Failed, Refused};
use crate::guard::{losses, stateful};
use crate::image::Wanted;
use crate::kept::{commands, found};
use crate::report::{Outcome, Report};
use crate::settings::Choices;
use crate::settle::Consent;
use crate::stdout::print;
use plan::Plan;
use steps::Steps;

/// The options of the verb.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
What it does:
  1  the infrastructure without the service, where there is none yet
  2  the image, as `cargo xtask build` made it, into the stack's repository, by digest
  3  the migration of the schema, as a task beside the service; that which runs goes on with the old image
  4  the service with the new image, and whatever else has changed
An interrupted deployment goes on in AWS as far as its step; the same command takes it up. Going back is
`cargo xtask deploy --image sha256:...` with the digest of before, in a checkout of before where the template has changed.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Arguments {
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    wanted: Wanted,
    /// Do not ask; for pipelines
    #[arg(long)]
    yes: bool,
    /// Make the change set, show it and leave it there
    #[arg(long)]
    no_execute: bool,
    /// Print what it came to as JSON
    #[arg(long)]
    json: bool,
    /// Let this resource be made anew or leave the stack, with what it holds; may be given several times
    #[arg(long, value_name = "LOGICAL_ID")]
    allow_replacement: Vec<String>,
    /// Bucket for the template; without it one of our own is made
    #[arg(long, value_name = "NAME")]
    template_bucket: Option<String>,
    /// Longest wait for each step
    #[arg(long, default_value = "90m", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// Minutes after an update in which the alarms of the service still undo it
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(i32).range(0..=180))]
    watch_minutes: i32,
    /// Do not look for changes that were made by hand
    #[arg(long)]
    skip_drift: bool,
}

impl Arguments {
    fn consent(&self) -> Consent {
        match (self.no_execute, self.yes) {
            (true, _) => Consent::Refused,
            (false, true) => Consent::Given,
            (false, false) => Consent::Asked,
        }
    }
}

/// Deploys, and prints what it came to.
pub(crate) async fn run(place: &Where, arguments: &Arguments) -> Result<()> {
    let aws = Aws::open(place).await?;
    let mut report = Report { stack: aws.stack.clone(), region: aws.region.clone(), ..Report::default() };
    let done = deploy(arguments, &aws, &mut report).await;
    if let Err(error) = &done {
        report.failed_with(error);
    }
    if arguments.json {
        print(&serde_json::to_string_pretty(&report)?)?;
    }
    done
}

async fn deploy(arguments: &Arguments, aws: &Aws, report: &mut Report) -> Result<()> {
    let plan = Plan::make(arguments, aws).await?;
    report.image = Some(plan.image.digest.clone());
    if plan.standing().is_none() {
        nothing_in_the_way(aws, &plan).await?;
    }
    let set = ChangeSet::create(aws, &plan.wish(arguments)).await?;
    let steps = Steps::new(aws, &plan, arguments.timeout);
    if plan.serves && set.is_none() {
        steps.protect(&stateful(&plan.present), &[]).await?;
        report.outcome = Outcome::NothingToDo;
        report.outputs = steps.deployed().await?.outputs;
        step("nothing to do: the stack is as the sources say, and runs this image");
        return Ok(());
    }
    let agreed = agreed(arguments, aws, &plan, set.as_ref(), report).await;
    if !matches!(agreed, Ok(true)) {
        if agreed.is_err() {
            forget(aws, set.as_ref()).await?;
        }
        return agreed.map(drop);
    }
    if plan.serves {
        upgrade(arguments, &steps, &plan, set.as_ref()).await?;
    } else {
        step("1 of 4: the infrastructure without the service");
        if plan.standing().is_some() {
            steps.policy(&stateful(&plan.present), &arguments.allow_replacement).await?;
        }
        steps.apply(set.as_ref()).await?;
        steps.protect(&stateful(&plan.first), &[]).await?;
        steps.before(None).await?;
        step("4 of 4: the service");
        let wish = Wish { fresh: false, parameters: &plan.wanted.parameters, ..plan.wish(arguments) };
        let set = ChangeSet::create(aws, &wish).await?;
        only_adds(set.as_ref())?;
        steps.apply(set.as_ref()).await?;
        steps.protect(&stateful(&plan.wanted), &[]).await?;
    }
    let deployed = steps.deployed().await?;
    report.outcome = Outcome::Deployed;
    report.outputs = deployed.outputs.clone();
    steps.what_next(&deployed).await
}

/// An earlier deployment leaves what holds something, and AWS would find that out one by one, after minutes.
async fn nothing_in_the_way(aws: &Aws, plan: &Plan) -> Result<()> {
    let found = found(aws, &plan.wanted).await?;
    if found.is_empty() {
        return Ok(());
    }
    bail!(Refused(format!(
        "an earlier deployment has left what this one wants to make. Each of these commands deletes one for good:\n{}\nTo go on \
         with what they hold, import them into a new stack (CloudFormation, \"import existing resources\")",
        commands(&found, &aws.region)
    )))
}

/// Shows what would change, and asks; false where it was only to be shown.
async fn agreed(
    arguments: &Arguments,
    aws: &Aws,
    plan: &Plan,
    set: Option<&ChangeSet>,
    report: &mut Report,
) -> Result<bool> {
    if let (Some(deployed), false) = (plan.standing(), arguments.skip_drift) {
        report.drift = changed_by_hand(aws, deployed).await;
    }
    let mut review = Review::new(&plan.present, &plan.wanted, plan.source.paths());
    let (replaced, uncertain) = set.map_or((&[][..], &[][..]), |set| (&set.replaced, &set.uncertain));
    review.replaced(replaced, uncertain, &plan.present);
    show(format_args!("{review}\n"));
    let losses = losses(&review.changes, uncertain, &stateful(&plan.present), &arguments.allow_replacement);
    report.review = Some(review);
    if !losses.is_empty() {
        bail!(Refused(format!(
            "{}\nKeep it as it is, or give --allow-replacement with its id: then what it holds leaves the stack with it",
            losses.join("\n")
        )));
    }
    if arguments.no_execute {
        report.outcome = Outcome::Planned;
        report.change_set = set.map(|set| set.name.clone());
        let name = report.change_set.as_deref().unwrap_or("none is needed");
        step(format_args!("nothing was changed; the change set {name} is left for a look at it in the console"));
        return Ok(false);
    }
    if !arguments.yes {
        confirm("Deploy this?", "give --yes to deploy without a question").await?;
    }
    Ok(true)
}

/// Brings a service that runs to what is wanted. Until AWS begins, nothing but the schema has changed.
async fn upgrade(arguments: &Arguments, steps: &Steps<'_>, plan: &Plan, set: Option<&ChangeSet>) -> Result<()> {
    if let Err(error) = steps.before(set).await {
        forget(steps.aws, set).await?;
        return Err(error);
    }
    step("4 of 4: the service with the new image, and what else has changed");
    let holding = stateful(&plan.present);
    steps.policy(&holding, &arguments.allow_replacement).await?;
    match steps.apply(set).await {
        Ok(()) => steps.protect(&stateful(&plan.wanted), &[]).await,
        Err(error) => {
            // It is over, and from here on nothing may be lost again. Where AWS still works, it may do what it was allowed.
            if error.is::<Failed>()
                && let Err(also) = steps.protect(&holding, &[]).await
            {
                loud(format_args!("{also:#}"));
            }
            Err(error)
        }
    }
}

/// What was changed by hand is no reason to stop, but one to look twice.
async fn changed_by_hand(aws: &Aws, deployed: &Deployed) -> Vec<String> {
    match drift(aws, &deployed.id).await {
        Ok(lines) => {
            for line in &lines {
                loud(format_args!("changed by hand: {line}"));
            }
            lines
        }
        Err(error) => {
            loud(format_args!("whether something was changed by hand is not known: {error:#}"));
            Vec::new()
        }
    }
}

/// Leaves nothing behind: not the change set, nor the empty stack that AWS has made for it.
async fn forget(aws: &Aws, set: Option<&ChangeSet>) -> Result<()> {
    match set {
        Some(set) => set.delete(aws).await,
        None => Ok(()),
    }
}

/// The second change set of a first deployment was shown, but not asked for: it may add and change, and nothing else.
fn only_adds(set: Option<&ChangeSet>) -> Result<()> {
    let removes = |set: &ChangeSet| set.actions.iter().any(|(_, action)| *action == ChangeAction::Remove);
    if set.is_some_and(|set| removes(set) || !set.replaced.is_empty()) {
        bail!(
            "the service would come with something else removed or made anew; somebody has changed the stack meanwhile: deploy again"
        );
    }
    Ok(())
}
