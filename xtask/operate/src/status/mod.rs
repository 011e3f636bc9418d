//! `cargo xtask status`: how the deployment is, for people and for pipelines.

mod look;
mod report;
mod text;

use anyhow::{Result, bail};

use crate::aws::{Aws, Where};
use crate::exit::NotWell;
use crate::stdout::print;

/// The options of the verb.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
The exit code is 0 where the deployment is well, and 6 where it is not: the stack is changing or
has failed, nothing runs, fewer tasks run than shall, a task is unhealthy, the roll-out has failed,
or an alarm has gone. Told and not counted are an alarm without data yet, a password that is not
set, and a deployment that was rolled back.")]
pub(crate) struct Arguments {
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

/// Asks AWS, prints, and says whether it is well.
pub(crate) async fn run(place: &Where, arguments: &Arguments) -> Result<()> {
    let aws = Aws::open(place).await?;
    let report = Box::pin(look::look(&aws)).await?;
    print(&if arguments.json {
        serde_json::to_string_pretty(&report)?
    } else {
        report.to_string().trim_end().to_owned()
    })?;
    if !report.well {
        return Err(NotWell(report.troubles.join("; ")).into());
    }
    if !report.unread.is_empty() {
        bail!("{}", report.unread.join("; "));
    }
    Ok(())
}
