//! The validators of CloudFormation templates that the group `stack` uses, in pinned versions, in `.local/validators`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::clients::{Variables, answer, download, environment, missing};
use super::unattended;
use crate::command::run;

/// Packages of Python. cfn-lint brings AWS's resource schemas along.
const PACKAGES: [&str; 3] = ["cfn-lint==1.58.0", "checkov==3.3.30", "cloudformation-validate==1.14.0"];

/// Prints those of the packages in its arguments that are installed.
const INSTALLED: &str = "
import sys
from importlib.metadata import PackageNotFoundError, version
for package in sys.argv[1:]:
    name, wanted = package.split('==')
    try:
        if version(name) == wanted: print(package)
    except PackageNotFoundError:
        pass
";

/// Installs what is missing. The inner error says why it cannot be installed here, and what to do.
pub(super) fn install(folder: &Path) -> Result<std::result::Result<Variables, String>> {
    if let Some(reason) = missing("python3", "python3")? {
        ensure!(!unattended(), "{reason}");
        return Ok(Err(reason));
    }
    let python = folder.join("bin/python");
    let installed = || {
        let said = answer(&python, &[&["-c", INSTALLED], &PACKAGES[..]].concat());
        said.is_some_and(|said| said.lines().eq(PACKAGES))
    };
    if !installed() {
        download(&PACKAGES.join(", "), || {
            environment(folder)?;
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES);
            run(&mut pip, "install the validators of templates")
        })?;
        ensure!(
            installed(),
            "Python does not find the validators after their installation; delete {} and run again",
            folder.display()
        );
    }
    let schemas = answer(&python, &["-c", "import cfnlint.data.schemas as schemas; print(schemas.__path__[0])"])
        .context("cfn-lint does not say where its schemas are")?;
    Ok(Ok(vec![("CFN_SCHEMAS", schemas.trim().into()), ("VALIDATORS", folder.into())]))
}
