//! The verbs that speak to AWS: a program of its own, built when it is first wanted, because the SDK takes minutes to compile.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::run;
use crate::progress::loud;
use crate::workspace::Workspace;

const PROGRAM: &str = "xtask-operate";

/// What the program is given.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Its own options
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<OsString>,
}

/// Becomes the program; returns only where it cannot be started.
pub fn run_verb(verb: &str, arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::locate()?;
    let binary = workspace.target().join("debug").join(PROGRAM);
    if !binary.exists() {
        loud("the SDK of AWS is compiled, once; this takes some minutes");
    }
    run(workspace.cargo().args(["build", "--quiet", "--package", PROGRAM]), "build what speaks to AWS")?;
    let mut program = Command::new(&binary);
    program.arg(verb).args(&arguments.rest);
    // Where cargo has started us, so that the checkout is found in the same way.
    program.env(
        "CARGO_MANIFEST_DIR",
        env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()),
    );
    Err(program.exec()).with_context(|| format!("cannot start {}", binary.display()))
}
