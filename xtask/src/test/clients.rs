//! The real clients that the groups `clients` and `yardstick` drive, in pinned versions, installed into `.local/clients`.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::unattended;
use crate::apt;
use crate::command::{output, run};
use crate::progress::{loud, readable, step};

/// Claude Code itself.
const CLAUDE_CODE: &str = "2.1.330";
/// The newest Claude Code that is a script for Node.js.
const OLD_CLAUDE_CODE: &str = "2.1.112";
/// Anthropic's library for Python.
const PYTHON_LIBRARY: &str = "2.12.0";

/// The variables that name the clients to the tests.
pub(crate) type Variables = Vec<(&'static str, OsString)>;

/// Installs what is missing for the group `clients`. The inner error says why it cannot be installed here, and what to do.
pub(super) fn install(folder: &Path) -> Result<std::result::Result<Variables, String>> {
    for (program, package) in [("npm", "npm"), ("python3", "python3")] {
        if let Some(reason) = missing(program, package)? {
            ensure!(!unattended(), "{reason}");
            return Ok(Err(reason));
        }
    }
    let claude = claude_code(&folder.join("node"))?;
    let python = python(&folder.join("python"))?;
    Ok(Ok(vec![("CLAUDE_BIN", claude), ("PYTHON_BIN", python)]))
}

/// The same for the yardstick. Where there is no Node.js, the variables of the old Claude Code are missing.
pub(crate) fn install_for_yardstick(folder: &Path) -> Result<std::result::Result<Variables, String>> {
    if let Some(reason) = missing("npm", "npm")? {
        ensure!(!unattended(), "{reason}");
        return Ok(Err(reason));
    }
    let mut variables = vec![("CLAUDE_BIN", claude_code(&folder.join("node"))?)];
    match missing("node", "nodejs")? {
        None => variables.extend(old_claude_code(&folder.join("node-old"))?),
        Some(reason) => {
            ensure!(!unattended(), "{reason}");
            loud(format_args!("the old client is left out: {reason}"));
        }
    }
    Ok(Ok(variables))
}

/// Why a program cannot be used; in CI it is installed where that is possible.
pub(crate) fn missing(program: &str, package: &str) -> Result<Option<String>> {
    if answer(program, &["--version"]).is_some() {
        return Ok(None);
    }
    if unattended() && apt::available() {
        apt::install(&[package])?;
        return Ok(None);
    }
    Ok(Some(format!(
        "`{program}` is missing; install it (Debian, Ubuntu: `sudo apt-get install {package}`) and run again"
    )))
}

fn claude_code(folder: &Path) -> Result<OsString> {
    let program = folder.join("node_modules/.bin/claude");
    install_claude_code(folder, CLAUDE_CODE, || answer(&program, &["--version"]))?;
    Ok(program.into())
}

/// Node.js and the script that it runs.
fn old_claude_code(folder: &Path) -> Result<Variables> {
    let script = folder.join("node_modules/@anthropic-ai/claude-code/cli.js");
    let node = answer("node", &["-p", "process.execPath"]).context("Node.js does not say where it is")?;
    install_claude_code(folder, OLD_CLAUDE_CODE, || answer("node", &[script.as_os_str(), "--version".as_ref()]))?;
    Ok(vec![("NODE_BIN", node.trim().into()), ("OLD_CLAUDE_JS", script.into())])
}

/// Installs a version of Claude Code unless it `says` already that it is there.
fn install_claude_code(folder: &Path, version: &str, says: impl Fn() -> Option<String>) -> Result<()> {
    let installed = || says().is_some_and(|said| is_version(&said, version));
    if installed() {
        return Ok(());
    }
    let package = format!("@anthropic-ai/claude-code@{version}");
    download(&package, || {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(folder).arg(&package);
        run(&mut npm, &format!("install {package}"))
    })?;
    ensure!(
        installed(),
        "{package} does not answer `--version` with its version after its installation; delete {} and run again",
        folder.display()
    );
    Ok(())
}

fn python(folder: &Path) -> Result<OsString> {
    python_with(folder, "anthropic", PYTHON_LIBRARY, "anthropic")
}

/// A Python of its own with a version of a library, installed by pip as `package`.
pub(crate) fn python_with(folder: &Path, library: &str, version: &str, package: &str) -> Result<OsString> {
    let program = folder.join("bin/python");
    let says = format!("import {library}; print({library}.__version__)");
    let installed = || answer(&program, &["-c", &says]).is_some_and(|installed| is_version(&installed, version));
    if !installed() {
        let package = format!("{package}=={version}");
        download(&package, || {
            environment(folder)?;
            let mut pip = Command::new(&program);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &package]);
            run(&mut pip, &format!("install {package}"))
        })?;
        ensure!(
            installed(),
            "Python cannot import {package} after its installation; delete {} and run again",
            folder.display()
        );
    }
    Ok(program.into())
}

/// Makes a virtual environment; Debian and Ubuntu ship Python without the part that can.
pub(crate) fn environment(folder: &Path) -> Result<()> {
    let make = || {
        let mut venv = Command::new("python3");
        run(venv.args(["-m", "venv", "--clear"]).arg(folder), "make a virtual environment for Python")
    };
    let Err(error) = make() else { return Ok(()) };
    if unattended() && apt::available() {
        apt::install(&["python3-venv"])?;
        return make();
    }
    bail!("{error:#}; on Debian and Ubuntu install what is missing with `sudo apt-get install python3-venv`")
}

pub(crate) fn download(what: &str, install: impl FnOnce() -> Result<()>) -> Result<()> {
    step(format_args!("downloading {what}"));
    let started = Instant::now();
    install()?;
    step(format_args!("installed {what} in {}", readable(started.elapsed())));
    Ok(())
}

/// What a program prints, or nothing when it is missing or fails.
pub(super) fn answer<A: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: &[A]) -> Option<String> {
    let output = output(Command::new(program).args(arguments), "", Duration::from_mins(1)).ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether the first word of `2.1.330 (Claude Code)` is the version.
pub(super) fn is_version(answer: &str, version: &str) -> bool {
    answer.split_whitespace().next() == Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_version_counts() {
        assert!(is_version("2.1.330 (Claude Code)\n", "2.1.330"));
        assert!(is_version("2.12.0\n", "2.12.0"));
        assert!(!is_version("2.1.3301 (Claude Code)", "2.1.330"));
        assert!(!is_version("", "2.1.330"));
    }

    #[test]
    fn a_program_that_is_not_there_answers_nothing() {
        assert_eq!(answer("no-such-program-here", &["--version"]), None);
    }
}
