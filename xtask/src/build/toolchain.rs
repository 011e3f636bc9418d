//! What a build for musl needs beyond cargo: Rust's standard library for it, and zig as the C compiler and linker.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::Target;
use crate::command::{output, run};
use crate::progress::{loud, step};
use crate::test::clients::{download, environment};
use crate::workspace::Workspace;

/// Both come from PyPI, where zig is a package as well.
const CARGO_ZIGBUILD: &str = "0.24.0";
const ZIG: &str = "0.17.1";

/// The folder with the programs of the toolchain, installed if they are missing.
pub(super) fn install(workspace: &Workspace, target: Target) -> Result<PathBuf> {
    standard_library(workspace, target)?;
    let folder = workspace.local().join("zig");
    let programs = folder.join("bin");
    if !installed(&programs) {
        let packages = [format!("cargo-zigbuild=={CARGO_ZIGBUILD}"), format!("ziglang=={ZIG}")];
        download(&packages.join(" and "), || {
            environment(&folder).context("cargo-zigbuild is installed with Python, which has to be there")?;
            let mut pip = Command::new(programs.join("python"));
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(&packages);
            run(&mut pip, "install cargo-zigbuild from PyPI")
        })?;
        ensure!(
            installed(&programs),
            "cargo-zigbuild {CARGO_ZIGBUILD} and zig {ZIG} do not answer after their installation; delete {} and run again",
            folder.display()
        );
    }
    Ok(programs)
}

/// The program that is zig, within the folder of the toolchain.
pub(super) fn zig(programs: &Path) -> PathBuf {
    programs.join("python-zig")
}

fn installed(programs: &Path) -> bool {
    let says = |program: PathBuf, argument: &str, version: &str| {
        let said = output(Command::new(program).arg(argument), "", Duration::from_mins(1));
        said.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).split_whitespace().any(|word| word == version))
    };
    says(programs.join("cargo-zigbuild"), "--version", CARGO_ZIGBUILD) && says(zig(programs), "version", ZIG)
}

/// Rust's standard library for the target comes with rustup, or with the distribution's Rust.
pub(crate) fn standard_library(workspace: &Workspace, target: Target) -> Result<()> {
    let triple = target.triple();
    if has_standard_library(workspace, triple)? {
        return Ok(());
    }
    loud(format_args!("installing Rust's standard library for the image: rustup target add {triple}"));
    run(Command::new("rustup").current_dir(workspace.root()).args(["target", "add", triple]), "install it")
        .with_context(|| {
            format!(
                "Rust's standard library for {triple} is missing; where Rust does not come from rustup, install your \
                 distribution's package for it"
            )
        })?;
    ensure!(has_standard_library(workspace, triple)?, "rustc still has no standard library for {triple}");
    step(format_args!("installed Rust's standard library for {triple}"));
    Ok(())
}

fn has_standard_library(workspace: &Workspace, triple: &str) -> Result<bool> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(workspace.root()).args(["--print", "target-libdir", "--target", triple]);
    let folder = output(&mut rustc, "", Duration::from_mins(1)).context("is rustc in PATH?")?;
    Ok(Path::new(String::from_utf8_lossy(&folder.stdout).trim()).is_dir())
}
