//! Builds the static binary.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Target, elf, toolchain};
use crate::command::run;
use crate::progress::step;
use crate::workspace::{Program, Workspace};

/// What cargo puts between two flags in a variable, so that a flag may have spaces.
const BETWEEN: char = '\x1f';

/// Builds the proxy and returns its bytes.
pub(super) fn build(workspace: &Workspace, target: Target, profile: &str) -> Result<Vec<u8>> {
    let programs = toolchain::install(workspace, target)?;
    let (name, triple) = (Program::Proxy.name(), target.triple());
    let path = binary(workspace.target(), triple, profile, name);
    let first = if path.exists() { "" } else { " (the first time takes minutes)" };
    step(format_args!("building {name} for {triple}, profile {profile}{first}"));
    let mut cargo = workspace.cargo();
    // `--locked`: the versions of Cargo.lock are what was tested.
    cargo.args(["zigbuild", "--locked", "--package", name, "--bin", name, "--target", triple, "--profile", profile]);
    cargo.env("PATH", path_with(&programs)?).env("CARGO_ZIGBUILD_ZIG_PATH", toolchain::zig(&programs));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags(workspace.root())?);
    run(&mut cargo, "build the binary").context(
        "the build for the image failed; where it speaks of cached data for a query, `cargo xtask prepare` helps",
    )?;
    let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    elf::check(&content, target).with_context(|| format!("{} cannot go into the image", path.display()))?;
    Ok(content)
}

/// Takes the folders of this machine out of the binary, so that it is the same everywhere and tells nobody about them.
fn flags(root: &Path) -> Result<String> {
    let mut flags = Vec::new();
    if let Some(own) = env::var_os("CARGO_ENCODED_RUSTFLAGS") {
        flags.push(text(own)?);
    } else if let Some(own) = env::var_os("RUSTFLAGS") {
        flags.extend(text(own)?.split_whitespace().map(str::to_owned));
    }
    for (folder, name) in [(cargo_home()?, "/cargo"), (root.to_owned(), "/source")] {
        flags.push(format!("--remap-path-prefix={}={name}", text(folder.into())?));
    }
    Ok(flags.join(&BETWEEN.to_string()))
}

fn cargo_home() -> Result<PathBuf> {
    let home = || env::home_dir().map(|home| home.join(".cargo"));
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home).context("where is the home folder? set HOME")
}

fn path_with(programs: &Path) -> Result<OsString> {
    let before = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(programs.to_owned()).chain(env::split_paths(&before));
    env::join_paths(folders).context("a folder in PATH has a colon in its name")
}

fn binary(target: &Path, triple: &str, profile: &str, name: &str) -> PathBuf {
    // Cargo's own profiles of development are all in one folder.
    let folder = if profile == "dev" { "debug" } else { profile };
    target.join(triple).join(folder).join(name)
}

fn text(value: OsString) -> Result<String> {
    value.into_string().ok().context("a path or a flag for the compiler is no UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_found_where_cargo_puts_it() {
        let path = |profile| binary(Path::new("/t"), "x-linux-musl", profile, "proxy");
        assert_eq!(path("release"), Path::new("/t/x-linux-musl/release/proxy"));
        assert_eq!(path("dev"), Path::new("/t/x-linux-musl/debug/proxy"));
    }
}
