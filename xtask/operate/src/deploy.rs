//! `cargo xtask deploy`: infrastructure, image, schema, service; each step can be interrupted and is taken up by the next call.

mod steps;

use std::time::Duration;

use anyhow::{Result, bail};
use aws_sdk_cloudformation::types::ChangeAction;
use xtask::progress::{loud, show, step};

use crate::alarms::triggers;
use crate::aws::{Aws, Where};
use crate::change_set::{ChangeSet, Wish};
use crate::changes::{Review, Snapshot};
use crate::confirm::confirm;
use crate::containers::Containers;
use crate::deployed::{Deployed, Phase};
use crate::drift::drift;
use crate::exit::Refused;
use crate::failure::told;
use crate::guard::{losses, stateful};
use crate::image::{Image, Wanted};
use crate::report::{Outcome, Report};
use crate::rollout::Rollout;
use crate::settings::Choices;
use crate::settle::settled;
use crate::source::Source;
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

/// Deploys, and prints what it came to.
pub(crate) async fn run(place: &Where, arguments: &Arguments) -> Result<()> {
    let aws = Aws::open(place).await?;
    let mut report = Report { stack: aws.stack.clone(), region: aws.region.clone(), ..Report::default() };
    let done = deploy(arguments, &aws, &mut report).await;
    if let Err(error) = &done {
        report.failed_with(error);
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    done
}

async fn deploy(arguments: &Arguments, aws: &Aws, report: &mut Report) -> Result<()> {
    let source = Source::read(&arguments.choices, aws.offline)?;
    let account = &aws.identity().await?.account;
    step(format_args!("stack {} in {}, account {account}", aws.stack, aws.region));
    // For the roll-out of what may be under way the digest does not matter.
    let names = Containers::of(&source.snapshot("sha256:any", "X86_64")?)?;
    let rollout = Rollout::of(names);
    let deployed = settled(aws, Some(&rollout), arguments.timeout).await?;
    let image = Image::choose(&arguments.wanted, &source.workspace.target().join("image"), deployed.as_ref())?;
    report.image = Some(image.digest.clone());
    let wanted = source.snapshot(&image.digest, image.architecture())?;
    let containers = Containers::of(&wanted)?;
    let standing = deployed.as_ref().filter(|deployed| deployed.phase() == Phase::Steady);
    let present = match standing {
        Some(deployed) => Snapshot::new(&deployed.template(aws).await?, &deployed.parameters)?,
        None => Snapshot::default(),
    };
    let serves = standing.and_then(Deployed::image).is_some();
    // As long as there is no image, the stack comes without the service: its repository has to be there first.
    let first = if serves { wanted.clone() } else { source.snapshot("", image.architecture())? };

    let triggers = match standing.filter(|_| serves) {
        Some(deployed) => triggers(aws, &deployed.resources(aws).await?).await?,
        None => Vec::new(),
    };
    let template = source.publish(aws, arguments.template_bucket.as_deref()).await?;
    let wish = Wish {
        fresh: standing.is_none(),
        template: &template,
        parameters: &first.parameters,
        capabilities: source.assembly.capabilities.iter().copied().collect(),
        triggers: (&triggers, arguments.watch_minutes),
    };
    let steps = Steps {
        aws,
        source: &source,
        image: &image,
        containers: &containers,
        rollout: &rollout,
        within: arguments.timeout,
    };
    let holding = stateful(&present);
    let set = ChangeSet::create(aws, &wish).await?;
    let mut review = Review::new(&present, &wanted, source.paths());
    if serves && set.is_none() {
        steps.protect(&holding, &[]).await?;
        report.outcome = Outcome::NothingToDo;
        report.outputs = steps.deployed().await?.outputs;
        step("nothing to do: the stack is as the sources say, and runs this image");
        return Ok(());
    }
    if let (Some(deployed), false) = (standing, arguments.skip_drift) {
        report.drift = changed_by_hand(aws, deployed).await;
    }
    let uncertain = set.as_ref().map(|set| set.uncertain.clone()).unwrap_or_default();
    review.replaced(set.as_ref().map_or(&[][..], |set| &set.replaced));
    show(format_args!("{review}\n"));
    let losses = losses(&review.changes, &uncertain, &holding, &arguments.allow_replacement);
    report.review = Some(review);
    if !losses.is_empty() {
        forget(aws, set.as_ref(), deployed.is_none()).await?;
        bail!(Refused(format!(
            "{}\nKeep it as it is, or give --allow-replacement with its id, and nothing but its snapshot is left",
            losses.join("\n")
        )));
    }
    if arguments.no_execute {
        report.outcome = Outcome::Planned;
        report.change_set = set.as_ref().map(|set| set.name.clone());
        step("nothing was changed; the change set is left for a look at it in the console");
        return Ok(());
    }
    if !arguments.yes
        && let Err(refused) = confirm("Deploy this?", "give --yes to deploy without a question").await
    {
        forget(aws, set.as_ref(), deployed.is_none()).await?;
        return Err(refused);
    }

    if serves {
        steps.policy(&holding, &arguments.allow_replacement).await?;
        let before = steps.before(set.as_ref()).await;
        if let Err(error) = before {
            forget(aws, set.as_ref(), deployed.is_none()).await?;
            return Err(error);
        }
        step("4 of 4: the service with the new image, and what else has changed");
        steps.apply(set.as_ref()).await?;
    } else {
        step("1 of 4: the infrastructure without the service");
        steps.apply(set.as_ref()).await?;
        steps.protect(&stateful(&first), &[]).await?;
        steps.before(None).await?;
        step("4 of 4: the service");
        let wish = Wish { fresh: false, parameters: &wanted.parameters, ..wish };
        let set = ChangeSet::create(aws, &wish).await?;
        only_adds(set.as_ref())?;
        steps.apply(set.as_ref()).await?;
    }
    steps.protect(&stateful(&wanted), &[]).await?;
    let deployed = steps.deployed().await?;
    report.outcome = Outcome::Deployed;
    report.outputs = deployed.outputs.clone();
    steps.what_next(&deployed).await
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
async fn forget(aws: &Aws, set: Option<&ChangeSet>, draft: bool) -> Result<()> {
    let Some(set) = set else { return Ok(()) };
    set.delete(aws).await?;
    if draft {
        let asked = aws.cloudformation().delete_stack().stack_name(&set.stack).send().await;
        asked.map_err(|error| told(error, "delete the empty stack"))?;
    }
    Ok(())
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
