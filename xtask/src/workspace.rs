//! Where the workspace is, and how cargo is called in it.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::command::{output, run};
use crate::progress::step;

/// The programs that a verb may build and run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The product.
    Proxy,
    /// The scripted plan and Bedrock for trying the product without either.
    Simulate,
    /// The measurements.
    Bench,
    /// The other verbs.
    Xtask,
    /// The verbs that speak to AWS.
    Operate,
}

impl Program {
    /// The name of the binary target.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proxy => "claude-code-proxy",
            Self::Simulate => "simulate",
            Self::Bench => "bench",
            Self::Xtask => "xtask",
            Self::Operate => "xtask-operate",
        }
    }
}

/// The checkout, and the folder that cargo builds into.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the workspace that this command was started from.
    pub fn locate() -> Result<Self> {
        let root = root();
        ensure!(
            root.join("Cargo.toml").is_file(),
            "no Cargo.toml in {}: call this as `cargo xtask ...` inside the checkout",
            root.display()
        );
        // Asked from cargo, because a user's own configuration may have moved the target folder.
        let mut metadata = cargo_in(&root);
        metadata.args(["metadata", "--no-deps", "--format-version=1"]);
        let output = output(&mut metadata, "", Duration::from_mins(1)).context("is cargo in PATH?")?;
        let metadata = String::from_utf8_lossy(&output.stdout);
        let Some(target) = json_string(&metadata, "target_directory") else {
            bail!("`cargo metadata` failed:\n{}", String::from_utf8_lossy(&output.stderr).trim());
        };
        Ok(Self { root, target: PathBuf::from(target) })
    }

    /// The folder of the checkout.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder for what cargo and the verbs build; deleting it loses nothing.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The folder for what verbs keep between runs: databases, development keys, downloaded clients.
    pub fn local(&self) -> PathBuf {
        self.root.join(".local")
    }

    /// A cargo command in the workspace, with offline SQL checking unless the caller says otherwise.
    pub fn cargo(&self) -> Command {
        let mut command = cargo_in(&self.root);
        command.env("SQLX_OFFLINE", "true");
        command
    }

    /// Where [`Workspace::build`] puts a program.
    pub fn binary(&self, program: Program) -> PathBuf {
        self.target.join("debug").join(program.name())
    }

    /// Where it is after [`Workspace::build`] with `--release`.
    pub fn release_binary(&self, program: Program) -> PathBuf {
        self.target.join("release").join(program.name())
    }

    /// The command that builds programs.
    ///
    /// `--workspace` with named binaries, not `-p`: cargo chooses the features of dependencies by the packages that are
    /// selected, and one choice for all verbs means that nothing is compiled twice.
    pub fn build(&self, programs: &[Program]) -> Command {
        let mut command = self.cargo();
        command.args(["build", "--workspace"]);
        for program in programs {
            command.args(["--bin", program.name()]);
        }
        command
    }
}

/// The folder of the checkout, for a program that cargo has started or built.
pub fn root() -> PathBuf {
    // Set by `cargo run` and `cargo test`; the compiled-in value serves a binary that is called directly.
    let package =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    // Crates of the workspace lie at different depths; its lock file lies at its root.
    let root = package.ancestors().skip(1).find(|folder| folder.join("Cargo.lock").is_file());
    root.or_else(|| package.parent()).unwrap_or(&package).to_path_buf()
}

/// Builds programs with cargo's own progress on the terminal, and explains the usual surprise.
pub fn build(workspace: &Workspace, programs: &[Program]) -> Result<()> {
    announce_build(workspace, programs);
    run(&mut workspace.build(programs), "build").context(
        "the build failed; where it speaks of cached data for a query, renew the query cache with `cargo xtask prepare`",
    )
}

/// Says that a build begins, and that it takes a while where nothing has been built before.
pub fn announce_build(workspace: &Workspace, programs: &[Program]) {
    let names: Vec<_> = programs.iter().map(|program| program.name()).collect();
    let first = programs.iter().any(|program| !workspace.binary(*program).exists());
    step(format_args!(
        "building {}{}",
        names.join(" and "),
        if first { " (the first time takes minutes)" } else { "" }
    ));
}

fn cargo_in(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    // `cargo run` describes the xtask package to us in variables. Build scripts watch some of them, so passing them on
    // would rebuild half of the dependencies each time that a verb and a plain cargo command take turns.
    for (name, _) in env::vars_os() {
        if describes_a_package(&name) {
            command.env_remove(name);
        }
    }
    command
}

fn describes_a_package(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_BIN_")
        || name.starts_with("CARGO_MANIFEST_")
        || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name.as_ref())
}

/// The string value of a key in JSON; enough for a path, so it undoes only the escape of the backslash and the quote.
fn json_string(json: &str, key: &str) -> Option<String> {
    let (_, rest) = json.split_once(&format!("\"{key}\":\""))?;
    let mut value = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return Some(value),
            '\\' => value.push(characters.next()?),
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_string_out_of_json() {
        let json = r#"{"version":1,"target_directory":"/a \"b\"/target","x":"y"}"#;
        assert_eq!(json_string(json, "target_directory").as_deref(), Some("/a \"b\"/target"));
        assert_eq!(json_string(json, "absent"), None);
    }

    #[test]
    fn only_the_variables_about_a_package_are_hidden() {
        assert!(describes_a_package(OsStr::new("CARGO_PKG_VERSION")));
        assert!(describes_a_package(OsStr::new("CARGO_MANIFEST_DIR")));
        assert!(!describes_a_package(OsStr::new("CARGO_TARGET_DIR")));
        assert!(!describes_a_package(OsStr::new("CARGO_HOME")));
    }
}
