//! `cargo xtask diff`: what a deployment would change, without making anything in AWS.

use anyhow::{Result, bail};

use crate::aws::{Aws, Where};
use crate::changes::{Review, Snapshot};
use crate::deployed::{Deployed, Phase};
use crate::exit::Differs;
use crate::guard::{losses, stateful};
use crate::image::{Image, Wanted};
use crate::settings::Choices;
use crate::source::Source;
use crate::stdout::print;

/// The options of the verb.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Nothing is written in AWS, so that a role that may only read is enough. Which changes make AWS replace a resource it tells only
to `cargo xtask deploy --no-execute`, which makes a change set.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    wanted: Wanted,
    /// End with 5 when there are differences
    #[arg(long)]
    exit_code: bool,
    /// Print the differences as JSON
    #[arg(long)]
    json: bool,
}

/// Compares what is deployed with what the sources say.
pub(crate) async fn run(place: &Where, arguments: &Arguments) -> Result<()> {
    let aws = Aws::open(place).await?;
    let source = Source::read(&arguments.choices, aws.offline)?;
    let deployed = Deployed::find(&aws, &aws.stack).await?;
    let standing = deployed.as_ref().filter(|deployed| !matches!(deployed.phase(), Phase::Draft | Phase::Stillborn));
    let present = match standing {
        Some(deployed) => Snapshot::new(&deployed.template(&aws).await?, &deployed.parameters)?,
        None => Snapshot::default(),
    };
    let image = Image::choose(&arguments.wanted, &source.workspace.target().join("image"), standing)?;
    let wanted = source.snapshot(&image.digest, image.architecture())?;
    let review = Review::new(&present, &wanted, source.paths());
    if arguments.json {
        print(&serde_json::to_string_pretty(&review)?)?;
    } else if review.is_empty() {
        print("no differences")?;
    } else {
        print(&review.to_string())?;
        print("Which of them AWS would make anew is known to `cargo xtask deploy --no-execute`.")?;
        for loss in losses(&review.changes, &[], &stateful(&present), &[]) {
            print(&format!("{loss}: `deploy` refuses it without --allow-replacement"))?;
        }
    }
    if arguments.exit_code && !review.is_empty() {
        bail!(Differs);
    }
    Ok(())
}
