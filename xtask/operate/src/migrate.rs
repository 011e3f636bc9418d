//! `cargo xtask migrate`: the schema of a database here, or of that of a deployment by a task in its VPC.

use std::env;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use xtask::command::run as run_command;
use xtask::progress::step;
use xtask::workspace::{Program, Workspace, build};

use crate::aws::{Aws, Where};
use crate::changes::Snapshot;
use crate::containers::Containers;
use crate::deployed::{Deployed, Phase};
use crate::migration::Migration;

/// The options of the verb.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Without --stack the database of DATABASE_URL is brought to the schema of this checkout, by the program of this checkout.
With it a task runs in the VPC of that stack, by the image that is deployed, or by another one of its repository; `cargo xtask
deploy` does that by itself. Twice does no harm; a database that is newer than the program is refused and stays as it is.

Migrations only add: the version before goes on to serve on the new schema until the last of its tasks is gone. What is not
used any more is taken away by a later version, when nobody goes back before that which stopped using it.")]
pub(crate) struct Arguments {
    /// With --stack: an image of its repository, in place of the one that is deployed
    #[arg(long, value_name = "sha256:...")]
    image: Option<String>,
    /// Longest wait for the task
    #[arg(long, default_value = "30m", value_parser = humantime::parse_duration)]
    timeout: Duration,
}

/// Migrates.
pub(crate) async fn run(place: &Where, arguments: &Arguments) -> Result<()> {
    if place.stack.is_some() {
        return in_the_vpc(arguments, &Aws::open(place).await?).await;
    }
    ensure!(
        arguments.image.is_none(),
        "--image is for the database of a deployment: give --stack claude-code-proxy with it"
    );
    let url = env::var("DATABASE_URL").unwrap_or_default();
    ensure!(
        !url.is_empty(),
        "DATABASE_URL is not set: name the database, as postgres://USER:PASSWORD@HOST/NAME, or give --stack claude-code-proxy for that of the deployment"
    );
    let workspace = Workspace::locate()?;
    build(&workspace, &[Program::Proxy])?;
    step("migrating the database of DATABASE_URL");
    let mut program = std::process::Command::new(workspace.binary(Program::Proxy));
    run_command(program.arg("migrate"), "migrate")
}

async fn in_the_vpc(arguments: &Arguments, aws: &Aws) -> Result<()> {
    let deployed = Deployed::get(aws).await?;
    ensure!(
        deployed.phase() == Phase::Steady,
        "the stack is {}: wait until it is steady, or deploy again",
        deployed.status.as_str()
    );
    let mut parameters = deployed.parameters.clone();
    if let Some(image) = &arguments.image {
        parameters.insert("ImageDigest".to_owned(), image.clone());
    }
    let present = Snapshot::new(&deployed.template(aws).await?, &parameters)?;
    let containers = Containers::of(&present).context("no image is deployed; give --image, or deploy first")?;
    Migration { aws, deployed: &deployed, containers: &containers, back: false, within: arguments.timeout }.run().await
}
