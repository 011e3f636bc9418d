//! The verbs that speak to AWS: a program of its own, built when it is first wanted, because the SDK takes minutes to compile.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::run;
use crate::progress::loud;
use crate::workspace::{Program, Workspace};

/// What the program is given.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Its own options
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<OsString>,
}

/// Becomes the program; returns only where it cannot be started.
pub fn run_verb(verb: &str, arguments: &Arguments) -> Result<()> {
    let binary = build(&Workspace::locate()?)?;
    let mut program = Command::new(&binary);
    program.arg(verb).args(&arguments.rest);
    // Where cargo has started us, so that the checkout is found in the same way.
    program.env(
        "CARGO_MANIFEST_DIR",
        env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()),
    );
    Err(program.exec()).with_context(|| format!("cannot start {}", binary.display()))
}

/// Builds the program, and says where it is.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let binary = workspace.binary(Program::Operate);
    let mut cargo = workspace.build(&[Program::Operate]);
    if binary.exists() {
        cargo.arg("--quiet");
    } else {
        loud("the SDK of AWS is compiled, once; this takes some minutes");
    }
    run(&mut cargo, "build what speaks to AWS")?;
    Ok(binary)
}
