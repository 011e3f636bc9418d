//! The tools of the group `contract`, installed into `.local/contract` in the versions that `tests/contract` pins.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::clients::{Variables, download, environment, missing};
use super::unattended;
use crate::apt;
use crate::command::run;
use crate::fingerprint::fingerprint;
use crate::workspace::Workspace;

/// Names of Chromium; Debian's first.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Installs what is missing. The inner error says why it cannot be installed here, and what to do.
pub(super) fn install(workspace: &Workspace) -> Result<std::result::Result<Variables, String>> {
    for (program, package) in [("npm", "npm"), ("node", "nodejs"), ("python3", "python3")] {
        if let Some(reason) = missing(program, package)? {
            ensure!(!unattended(), "{reason}");
            return Ok(Err(reason));
        }
    }
    let browser = match browser()? {
        Ok(browser) => browser,
        Err(reason) => {
            ensure!(!unattended(), "{reason}");
            return Ok(Err(reason));
        }
    };
    let (folder, pinned) = (workspace.local().join("contract"), workspace.root().join("tests/contract"));
    node_tools(&folder.join("node"), &pinned.join("node"))?;
    python_tools(&folder.join("python"), &pinned.join("python/requirements.txt"))?;
    Ok(Ok(vec![("CONTRACT_TOOLS", folder.into()), ("CHROMIUM_BIN", browser)]))
}

fn node_tools(folder: &Path, pinned: &Path) -> Result<()> {
    let lock = pinned.join("package-lock.json");
    once(folder, &lock, "the tools for Node.js", || {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(pinned.join(file), folder.join(file)).with_context(|| format!("cannot copy {file}"))?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(folder);
        run(&mut npm, &format!("install what {} names", lock.display()))
    })
}

fn python_tools(folder: &Path, requirements: &Path) -> Result<()> {
    once(folder, requirements, "the tools for Python", || {
        environment(folder)?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements);
        run(&mut pip, &format!("install what {} names", requirements.display()))
    })
}

/// Installs what a file names, unless that was done before with the same file.
fn once(folder: &Path, named_in: &Path, what: &str, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let names = fs::read(named_in).with_context(|| format!("cannot read {}", named_in.display()))?;
    let (mark, wanted) = (folder.join("installed"), fingerprint(&names));
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    download(what, install)?;
    fs::write(&mark, wanted).with_context(|| format!("cannot write {}", mark.display()))
}

/// The browser of the machine; in CI it is installed where that is possible.
fn browser() -> Result<std::result::Result<OsString, String>> {
    let named = env::var_os("CHROMIUM_BIN").filter(|name| !name.is_empty());
    if let Some(browser) = named.or_else(find) {
        return Ok(Ok(browser));
    }
    if unattended() && apt::available() {
        apt::install(&["chromium"])?;
    }
    let told = "Chromium is missing; install it (Debian: `sudo apt-get install chromium`), or name a browser of its family \
                in CHROMIUM_BIN, and run again";
    Ok(find().ok_or_else(|| told.to_owned()))
}

fn find() -> Option<OsString> {
    let folders: Vec<PathBuf> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
    let mut candidates = BROWSERS.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.find(|candidate| candidate.is_file()).map(PathBuf::into_os_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_is_installed_again_when_its_names_change() -> Result<()> {
        let folder = env::temp_dir().join(format!("xtask-contract-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let names = folder.join("names");
        let installs = |text: &str| -> Result<bool> {
            fs::write(&names, text)?;
            let mut installed = false;
            once(&folder, &names, "nothing", || {
                installed = true;
                Ok(())
            })?;
            Ok(installed)
        };
        let seen = [installs("a")?, installs("a")?, installs("b")?];
        fs::remove_dir_all(&folder)?;
        assert_eq!(seen, [true, false, true]);
        Ok(())
    }
}
