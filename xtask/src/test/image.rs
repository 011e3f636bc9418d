//! What the group `image` needs: the image, a registry to push it to, and a runtime to start it with.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::clients::{Variables, missing};
use super::unattended;
use crate::build::{Options, Target, build, standard_library};
use crate::command::run;
use crate::workspace::Workspace;

/// Installs the programs and builds the image, without optimisation: what is tested here is the image around the binary, and
/// a release build takes longer than all tests of it. The inner error says why that cannot be here, and what to do.
pub(super) fn prepare(workspace: &Workspace) -> Result<std::result::Result<Variables, String>> {
    if let Some(reason) = unable()? {
        ensure!(!unattended(), "{reason}");
        return Ok(Err(reason));
    }
    let target = Target::host()?;
    // What a machine does not allow is no fault of the image's.
    if let Err(error) = namespace().and_then(|()| standard_library(workspace, target)) {
        return Ok(Err(format!("{error:#}")));
    }
    let options = Options {
        target,
        profile: "dev".to_owned(),
        rds_ca_bundle: Some(workspace.root().join("tests/image/authority.pem")),
        folder: workspace.target().join("image-test").join(target.name()),
    };
    build(workspace, &options)?;
    Ok(Ok(vec![("IMAGE_LAYOUT", options.folder.into())]))
}

/// Fails where not even root may make namespaces, as within most containers.
fn namespace() -> Result<()> {
    run(Command::new("unshare").args(["--mount", "--pid", "--fork", "true"]), "make the namespaces of a container")
        .context("containers cannot be started on this machine")
}

fn unable() -> Result<Option<String>> {
    if !cfg!(target_os = "linux") || !rustix::process::geteuid().is_root() {
        return Ok(Some("containers are started with crun here, by root, on Linux".to_owned()));
    }
    for program in ["docker-registry", "crun", "python3"] {
        if let Some(reason) = missing(program, program)? {
            return Ok(Some(reason));
        }
    }
    Ok(None)
}
