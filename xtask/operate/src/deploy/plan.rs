//! What a deployment starts from, and what it is to come to.

use anyhow::{Result, ensure};
use xtask::progress::step;

use super::Arguments;
use crate::alarms::triggers;
use crate::aws::Aws;
use crate::change_set::{Template, Wish};
use crate::changes::Snapshot;
use crate::containers::Containers;
use crate::deployed::{Deployed, Phase};
use crate::image::Image;
use crate::rollout::Rollout;
use crate::settle::settled;
use crate::source::Source;

/// Everything that is known before AWS is asked what it would do.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) source: Source,
    pub(super) image: Image,
    /// The stack, which may be a draft.
    pub(super) deployed: Option<Deployed>,
    /// What is deployed.
    pub(super) present: Snapshot,
    /// What is to be deployed in the end.
    pub(super) wanted: Snapshot,
    /// What is to be deployed first. As long as there is no image, the stack comes without the service: its repository has to
    /// be there before.
    pub(super) first: Snapshot,
    /// Whether there is a service already.
    pub(super) serves: bool,
    /// The containers of what is wanted.
    pub(super) containers: Containers,
    /// The roll-out of the service.
    pub(super) rollout: Rollout,
    template: Template,
    triggers: Vec<String>,
}

impl Plan {
    /// Reads the checkout and the stack. What AWS is at work on is followed to its end before.
    pub(super) async fn make(arguments: &Arguments, aws: &Aws) -> Result<Self> {
        let source = Source::read(&arguments.choices, aws.offline)?;
        let account = &aws.identity().await?.account;
        step(format_args!("stack {} in {}, account {account}", aws.stack, aws.region));
        // For the roll-out of what may be under way the digest does not matter.
        let rollout = Rollout::of(Containers::of(&source.snapshot("sha256:any", "X86_64")?)?);
        let deployed = settled(aws, Some(&rollout), arguments.timeout, arguments.consent()).await?;
        let image = Image::choose(&arguments.wanted, &source.workspace.target().join("image"), deployed.as_ref())?;
        ensure!(
            !image.digest.is_empty(),
            "--keep-image keeps the image that runs, and none does: build one with `cargo xtask build`"
        );
        let wanted = source.snapshot(&image.digest, image.architecture())?;
        let standing = standing(deployed.as_ref());
        let present = match standing {
            Some(deployed) => Snapshot::new(&deployed.template(aws).await?, &deployed.parameters)?,
            None => Snapshot::default(),
        };
        let serving = standing.filter(|deployed| deployed.image().is_some());
        let first = if serving.is_some() { wanted.clone() } else { source.snapshot("", image.architecture())? };
        let triggers = match serving {
            Some(deployed) => triggers(aws, &deployed.resources(aws).await?).await?,
            None => Vec::new(),
        };
        let template = source.publish(aws, arguments.template_bucket.as_deref()).await?;
        let (serves, containers) = (serving.is_some(), Containers::of(&wanted)?);
        Ok(Self { source, image, deployed, present, wanted, first, serves, containers, rollout, template, triggers })
    }

    /// The stack, unless it is a draft only.
    pub(super) fn standing(&self) -> Option<&Deployed> {
        standing(self.deployed.as_ref())
    }

    /// What AWS is asked for first.
    pub(super) fn wish(&self, arguments: &Arguments) -> Wish<'_> {
        Wish {
            fresh: self.standing().is_none(),
            template: &self.template,
            parameters: &self.first.parameters,
            capabilities: self.source.assembly.capabilities.iter().copied().collect(),
            triggers: (&self.triggers, arguments.watch_minutes),
        }
    }
}

fn standing(deployed: Option<&Deployed>) -> Option<&Deployed> {
    deployed.filter(|deployed| deployed.phase() == Phase::Steady)
}
