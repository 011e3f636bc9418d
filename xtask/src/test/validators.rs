//! The validators of CloudFormation templates that the group `stack` uses, in pinned versions, in `.local/validators`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::clients::{Variables, answer, download, environment, is_version, missing};
use super::unattended;
use crate::command::run;

/// It brings AWS's resource schemas along.
const CFN_LINT: &str = "1.58.0";

/// Installs what is missing. The inner error says why it cannot be installed here, and what to do.
pub(super) fn install(folder: &Path) -> Result<std::result::Result<Variables, String>> {
    if let Some(reason) = missing("python3", "python3")? {
        ensure!(!unattended(), "{reason}");
        return Ok(Err(reason));
    }
    let python = folder.join("bin/python");
    let installed = || {
        answer(&python, &["-c", "from importlib.metadata import version; print(version('cfn-lint'))"])
            .is_some_and(|said| is_version(&said, CFN_LINT))
    };
    if !installed() {
        let package = format!("cfn-lint=={CFN_LINT}");
        download(&package, || {
            environment(folder)?;
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &package]);
            run(&mut pip, &format!("install {package}"))
        })?;
        ensure!(
            installed(),
            "Python cannot import {package} after its installation; delete {} and run again",
            folder.display()
        );
    }
    let schemas = answer(&python, &["-c", "import cfnlint.data.schemas as schemas; print(schemas.__path__[0])"])
        .context("cfn-lint does not say where its schemas are")?;
    Ok(Ok(vec![("CFN_SCHEMAS", schemas.trim().into()), ("CFN_LINT", folder.join("bin/cfn-lint").into())]))
}
