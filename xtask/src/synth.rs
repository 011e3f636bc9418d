//! `cargo xtask synth`: writes the template of the infrastructure, or checks that the committed one is fresh.
//!
//! What a reviewer reads is committed in `stack/golden`; what a deployment takes is in `target/stack`. No AWS, no network.

mod files;
mod report;

use anyhow::{Result, bail};
use stack::core::{Deployment, Lock, Template};
use stack::proxy_stack::{self, PRODUCTION, Preset, SMALL};

use crate::progress::step;
use crate::workspace;
use files::Files;

/// The options of the verb.
#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Arguments {
    /// Change nothing, and fail when a committed file is stale
    #[arg(long)]
    check: bool,
    /// Show the tree of constructs
    #[arg(long)]
    tree: bool,
    /// Show the findings of validators that are accepted, with the reasons
    #[arg(long)]
    findings: bool,
    /// Show what a deployment costs in a month before anybody uses it
    #[arg(long)]
    cost: bool,
}

/// Writes or checks the files, and shows what was asked for.
pub fn run_verb(arguments: &Arguments) -> Result<()> {
    let assembly = proxy_stack::proxy_stack().synth()?;
    let template = &assembly.template;
    let files = Files::new(&workspace::root());
    // Before anything is written: a lost database is not to be found in a diff of three thousand lines.
    files.lock()?.check(template)?;
    let golden = [(Files::TEMPLATE, assembly.yaml.clone()), (Files::LOCK, Lock::of(template).to_string())];
    if arguments.check {
        let stale = files.stale(&golden)?;
        if !stale.is_empty() {
            bail!("{} stale; run `cargo xtask synth`, review the difference and commit it", stale.join(" and "));
        }
    } else {
        files.write(&golden)?;
        files.write_for_deployment(&assembly)?;
    }
    step(report::summary(&assembly));
    for (asked, text) in [
        (arguments.tree, stack::core::outline as fn(&Template) -> String),
        (arguments.findings, report::findings),
        (arguments.cost, |template| report::cost(&deployments(template))),
    ] {
        if asked {
            print!("{}", text(template));
        }
    }
    Ok(())
}

/// The presets under their names, as deployments with everything that is needed to run.
fn deployments(template: &Template) -> Vec<(&'static str, Deployment<'_>)> {
    let running = [("ImageDigest", "sha256:..."), ("HostedZoneId", "Z...")];
    let with = |(name, preset): (_, Preset)| {
        Deployment::new(template, &[preset, &running].concat()).ok().map(|deployment| (name, deployment))
    };
    [("small", SMALL), ("production", PRODUCTION)].into_iter().filter_map(with).collect()
}
